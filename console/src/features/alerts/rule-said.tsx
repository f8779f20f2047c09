import styles from './rule-editor.module.css';
import type { AlertRule } from './shapes';

/** Who says what of a rule: Ken's own, files, what was changed here. */
export function SaidOf({ rule }: { readonly rule: AlertRule }) {
  const file = [...rule.said].reverse().find(({ place }) => place !== 'the API' && !place.startsWith('the rules that'));
  return (
    <div className={styles.said}>
      <ul>
        {rule.said.map(({ place, fields }) => (
          <li key={place}>
            {place === 'the API' ? 'Changed here' : capital(unquoted(place))}
            {fields.length > 0 && (
              <span className={styles.soft}>
                {': '}
                {fields.join(', ')}
              </span>
            )}
          </li>
        ))}
      </ul>
      {file !== undefined && (
        <p className={styles.soft}>
          {unquoted(file.place)} isn’t changed from here; what you save counts before it, field by field.
        </p>
      )}
    </div>
  );
}

function capital(place: string): string {
  return place.slice(0, 1).toUpperCase() + place.slice(1);
}

function unquoted(place: string): string {
  return place.replaceAll("'", '');
}
