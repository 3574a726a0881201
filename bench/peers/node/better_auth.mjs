// better-auth with its passkey plugin, on Node's own server and better-sqlite3.
// Registration is the plugin's own passkey-first flow: the account is made once the passkey is
// verified, and a session with it. It keeps no audit trail and its sessions are rows, not JWTs.
// PORT, ORIGIN and SYNCHRONOUS (FULL or NORMAL) come from the environment.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { passkey } from '@better-auth/passkey';

const { PORT, ORIGIN, SYNCHRONOUS = 'FULL' } = process.env;

const database = new Database('peer.db');
// Its documents leave the slower rollback journal on.
database.pragma('journal_mode = WAL');
database.pragma(`synchronous = ${SYNCHRONOUS}`);

const options = {
  database,
  baseURL: ORIGIN,
  secret: randomUUID() + randomUUID(),
  telemetry: { enabled: false },
  // Requests are counted, as this service counts them, and none is refused.
  rateLimit: { enabled: true, window: 60, max: 1_000_000_000 },
  plugins: [
    passkey({
      rpID: 'localhost',
      origin: ORIGIN,
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      registration: {
        requireSession: false,
        resolveUser: async ({ context }) => ({ id: randomUUID(), name: context }),
        afterVerification: async ({ ctx, user }) => {
          const made = await ctx.context.internalAdapter.createUser({
            email: user.name, name: 'Jane Doe', emailVerified: false,
          });
          return { userId: made.id };
        },
      },
    }),
  ],
};
const { runMigrations } = await getMigrations(options);
await runMigrations();

const handle = toNodeHandler(betterAuth(options));
createServer((request, response) => {
  if (request.url === '/livez') response.end('ok');
  else handle(request, response);
}).listen(Number(PORT), '127.0.0.1');
