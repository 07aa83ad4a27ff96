import { RunnelError } from '@runnel/errors';

/** The error of an answer that refuses the URL itself (Trickle spec, Capability URLs); null for any other. To ask again would not help. */
export function refusalError(status: number): RunnelError | null {
  switch (status) {
    case 401:
      return new RunnelError('access_denied', {
        message: 'The edge does not know this URL: it is not whole, has expired, or its key was taken away.',
      });
    case 403:
      return new RunnelError('access_denied', { message: 'The edge does not allow that with this URL: it was made for something else.' });
  }
  return null;
}
