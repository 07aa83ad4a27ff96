/**
 * A stand-in for `curl` on machines without it, so that the documents' commands can be run there too: `-s -N -X METHOD -H 'name: value'
 * -d BODY URL`, the body of the answer as it comes on stdout.
 */
const options = { method: undefined, headers: {}, body: undefined, url: '' };
const args = process.argv.slice(2);
while (args.length > 0) {
  const arg = args.shift();
  if (arg === '-X') options.method = args.shift();
  else if (arg === '-H') {
    const [name, ...value] = args.shift().split(':');
    options.headers[name.trim()] = value.join(':').trim();
  } else if (arg === '-d') options.body = args.shift();
  else if (!arg.startsWith('-')) options.url = arg;
}
const { headers, body } = options;
const method = options.method ?? (body === undefined ? 'GET' : 'POST');
const response = await fetch(options.url.includes('://') ? options.url : `http://${options.url}`, { method, headers, body });
for await (const chunk of response.body) process.stdout.write(chunk);
