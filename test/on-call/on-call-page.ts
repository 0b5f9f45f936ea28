/** docs/on-call.md, of what each walk wrote down. */
export function onCallPage(sections: ReadonlyMap<string, string>): string {
  const anchor = (title: string): string => title.toLowerCase().replaceAll(/[^a-z ]/g, '').replaceAll(' ', '-');
  return `# On call

For somebody whose first week it is. Five faults, each walked from the alert to its end: what arrives, which panel of the dashboard shows it, which page says what to do, what one types, what comes back, and how one sees that it is over.
Nothing here is written by hand: a test causes each fault on a running platform with a Prometheus beside it, goes the path, and fails when a step says something else than this page
(\`node tools/bootstrap.mjs test observe.e2e\`; what it saw is in \`.floodgate/on-call.md\` then). Only ids, times and addresses are replaced.

Before the first one: \`npm run up -- --observe\` in a clone, the names of [docs/runbooks](runbooks/README.md) in a shell, and the dashboards of [observability.md](observability.md) in a Grafana. \`npx floodgate\` is in [cli.md](cli.md).

The way is always the same:

1. The alert says what is wrong and names its page. \`page\` wakes somebody, \`warn\` is looked at the same hour, \`ticket\` the same day.
2. The dashboard says since when, and what else: look for the cause among the alerts that fire together.
3. The page says what it means for buyers and which commands tell more, with what they say when all is well.
4. Its last part says what mends it. What changes something is in the audit log.
5. It is over when the alert has resolved, not when the command has ended.

${[...sections.keys()].map((title) => `- [${title}](#${anchor(title)})`).join('\n')}

${[...sections].map(([title, text]) => `## ${title}\n\n${text}\n`).join('\n')}`;
}
