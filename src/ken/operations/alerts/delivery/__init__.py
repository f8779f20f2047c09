"""Where messages go: the log, a webhook, a Slack channel, mail."""
