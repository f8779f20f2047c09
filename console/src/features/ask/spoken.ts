import type { Exchange } from './exchange';

const WORDS: Readonly<Record<string, string>> = {
  intake: 'Reading the question.',
  retrieve: 'Looking through the documents.',
  generate: 'Writing the answer.',
};

/** What a screen reader hears of the last question: the longer stages as they begin, then the answer, once, whole. */
export function spoken(exchange: Exchange | undefined): string {
  if (exchange === undefined || exchange.stages.length === 0) return exchange?.error?.message ?? '';
  const { phase, answer, text } = exchange;
  if (phase === 'running') {
    return exchange.stages.reduce((told, stage) => WORDS[stage.name] ?? told, '');
  }
  if (phase === 'stopped') return 'Stopped.';
  if (answer === null) return '';
  const plain = text.replace(/\[(\d+)\](?!\()/g, '').replace(/[*_#`]/g, '');
  if (answer.outcome === 'abstained' || answer.outcome === 'refused') return `Beyond my ken. ${plain}`;
  if (answer.outcome === 'asked_back') return `Ken asks back. ${plain}`;
  const sources = new Set(answer.citations.map((each) => each.number)).size;
  return `Answer: ${plain} ${sources === 1 ? '1 source' : `${sources} sources`}.`;
}
