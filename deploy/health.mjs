// The health check of a container: node health.mjs livez|readyz. Exit 0 if the app in it says so; an image without a shell has no curl.
const [what = 'livez'] = process.argv.slice(2);
try {
  const answer = await fetch(`http://127.0.0.1:${process.env.INTERNAL_PORT}/${what}`, { signal: AbortSignal.timeout(2_000) });
  console.log(await answer.text());
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.log(error.cause?.message ?? error.message);
  process.exitCode = 1;
}
