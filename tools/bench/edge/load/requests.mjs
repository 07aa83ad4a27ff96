/** The HTTP/1.1 requests on one channel, in the words of a Go client (the most common one). `paths`: `{ manage, publish, subscribe }`. */
export function requests({ target, paths }) {
  const common = `Host: ${target.host}:${target.port}\r\nUser-Agent: Go-http-client/1.1\r\n`;
  const postEnd = ` HTTP/1.1\r\n${common}Transfer-Encoding: chunked\r\nContent-Type: video/mp2t\r\nAccept-Encoding: gzip\r\n\r\n`;
  const getEnd = ` HTTP/1.1\r\n${common}Accept-Encoding: gzip\r\n\r\n`;
  return {
    create: () => `POST ${paths.manage} HTTP/1.1\r\n${common}Expect-Content: video/mp2t\r\nContent-Length: 0\r\n\r\n`,
    remove: () => `DELETE ${paths.manage} HTTP/1.1\r\n${common}\r\n`,
    post: (seq) => `POST ${paths.publish}/${seq}${postEnd}`,
    get: (seq) => `GET ${paths.subscribe}/${seq}${getEnd}`,
  };
}
