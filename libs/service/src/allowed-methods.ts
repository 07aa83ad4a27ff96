import type { FastifyInstance } from 'fastify';

interface KnownRoute {
  readonly path: RegExp;
  readonly methods: readonly string[];
}

/** Knows which methods a path takes, so that a wrong method is told from a wrong path (RFC 9110, 15.5.6). */
export class AllowedMethods {
  readonly #routes: KnownRoute[] = [];

  /** Learns the routes that are added to the server from now on. Patterns with wildcards answer for themselves and are left out. */
  watch(server: Pick<FastifyInstance, 'addHook'>): void {
    server.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return;
      const pattern = url.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/:[A-Za-z0-9_]+/g, '[^/]+');
      this.#routes.push({ path: new RegExp(`^${pattern}$`), methods: [method].flat() });
    });
  }

  /** Methods of a path without its query, in alphabetical order; none for a path that is not there. */
  of(path: string): string[] {
    return [...new Set(this.#routes.filter((route) => route.path.test(path)).flatMap(({ methods }) => methods))].sort();
  }
}
