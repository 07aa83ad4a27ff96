import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from './answer.ts';
import type { RelayContext } from './context.ts';
import { handleCloseSegment, handleCreate, handleEnd, handleMetadata, handleNext } from './manage.ts';
import { parseRelayPath } from './path.ts';
import { handlePublish } from './publish.ts';
import { handleSubscribe } from './subscribe.ts';

/** Finds the handler of a request (Trickle spec, Paths). */
export function route(relay: RelayContext, base: string, req: IncomingMessage, res: ServerResponse): void {
  const path = parseRelayPath(req.url ?? '', base);
  if (path === null) return answer(res, 404, 'Not found', { Connection: 'close' });
  switch (`${req.method} ${path.kind}`) {
    case 'GET channel':
      return handleMetadata(relay, res, path.channel);
    case 'POST channel':
      return handleCreate(relay, req, res, path.channel);
    case 'DELETE channel':
      return handleEnd(relay, res, path.channel);
    case 'GET next':
      return handleNext(relay, res, path.channel);
  }
  if (path.kind === 'segment') {
    if (req.method === 'GET') return handleSubscribe(relay, res, path);
    if (req.method === 'POST') return handlePublish(relay, req, res, path);
    if (req.method === 'DELETE') return handleCloseSegment(relay, res, path);
  }
  answer(res, 405, 'Method not allowed', { Allow: path.kind === 'next' ? 'GET' : 'GET, POST, DELETE', Connection: 'close' });
}
