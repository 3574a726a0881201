// A minimal passkey service of Node: fastify, SimpleWebAuthn, better-sqlite3, fast-jwt.
// It has the endpoints of this service and writes the same audit rows; it has no decoys, no rate limits,
// no log file and no strict JSON, so its figures are a floor for what Node needs.
// PORT, ORIGIN and SYNCHRONOUS (FULL or NORMAL) come from the environment.
import { randomBytes, randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import Fastify from 'fastify';
import { createSigner, createVerifier } from 'fast-jwt';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';

const { PORT, ORIGIN, SYNCHRONOUS = 'FULL' } = process.env;
const RP_ID = 'localhost';
const FIVE_MINUTES = 5 * 60 * 1000;
const SELECTION = {
  authenticatorAttachment: 'platform',
  residentKey: 'required',
  userVerification: 'required',
};

const db = new Database('peer.db');
db.pragma('journal_mode = WAL');
db.pragma(`synchronous = ${SYNCHRONOUS}`);
db.pragma('foreign_keys = ON');
db.exec(`
  CREATE TABLE users (id TEXT PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE, date_of_birth DATETIME NOT NULL, job_title TEXT NOT NULL,
    role TEXT NOT NULL DEFAULT 'user', created_at DATETIME NOT NULL);
  CREATE TABLE webauthn_credentials (id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users(id), credential_id TEXT NOT NULL UNIQUE,
    public_key BLOB NOT NULL, sign_count INTEGER NOT NULL, transports TEXT NOT NULL,
    created_at DATETIME NOT NULL);
  CREATE INDEX credentials_user ON webauthn_credentials(user_id);
  CREATE TABLE audit_logs (id TEXT PRIMARY KEY, event_type TEXT NOT NULL, user_email TEXT,
    user_id TEXT REFERENCES users(id), ip_address TEXT, user_agent TEXT,
    success INTEGER NOT NULL, details TEXT, created_at DATETIME NOT NULL);
  CREATE INDEX audit_type ON audit_logs(event_type);
  CREATE INDEX audit_email ON audit_logs(user_email);
  CREATE INDEX audit_created ON audit_logs(created_at);
`);
const sql = {
  user: db.prepare('SELECT * FROM users WHERE id = ?'),
  userByEmail: db.prepare('SELECT id FROM users WHERE email = ?'),
  addUser: db.prepare('INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
  passkeys: db.prepare('SELECT credential_id, transports FROM webauthn_credentials WHERE user_id = ?'),
  passkey: db.prepare('SELECT * FROM webauthn_credentials WHERE credential_id = ?'),
  addPasskey: db.prepare('INSERT INTO webauthn_credentials VALUES (?, ?, ?, ?, ?, ?, ?)'),
  used: db.prepare(
    'UPDATE webauthn_credentials SET sign_count = ? WHERE id = ? AND sign_count < ?',
  ),
  audit: db.prepare('INSERT INTO audit_logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
};

const secret = randomBytes(32);
const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: 3600 * 1000 });
// No cache: this service verifies every token, too.
const verify = createVerifier({ key: secret, algorithms: ['HS256'] });

const pending = new Map();
function put(challenge, ceremony) {
  pending.set(challenge, { ...ceremony, until: Date.now() + FIVE_MINUTES });
}
function take(credential, kind) {
  const data = JSON.parse(Buffer.from(credential.response.clientDataJSON, 'base64url'));
  const found = pending.get(data.challenge);
  pending.delete(data.challenge);
  const good = found && found.kind === kind && found.until > Date.now();
  return good ? { ...found, challenge: data.challenge } : null;
}

function audit(request, type, email, userId, success, details) {
  const now = new Date().toISOString();
  const agent = request.headers['user-agent'];
  sql.audit.run(randomUUID(), type, email, userId, request.ip, agent, success, details, now);
}
const recorded = db.transaction(audit);

const text = { type: 'string', minLength: 1, maxLength: 100 };
const email = { type: 'string', format: 'email', maxLength: 254 };
function body(required, optional = {}) {
  const properties = { ...required, ...optional };
  const object = { type: 'object', additionalProperties: false, properties };
  return { schema: { body: { ...object, required: Object.keys(required) } } };
}
const profileOf = (user) => ({
  ...user,
  date_of_birth: `${user.date_of_birth}T00:00:00Z`,
});

const app = Fastify({ bodyLimit: 32 * 1024 });

app.get('/livez', async () => ({ status: 'ok' }));

const form = {
  first_name: text, last_name: text, email, job_title: text,
  date_of_birth: { type: 'string', format: 'date' },
};
app.post('/register/begin', body(form), async (request, reply) => {
  const person = request.body;
  if (sql.userByEmail.get(person.email)) {
    recorded(request, 'registration_begin', person.email, null, 0, 'email taken');
    return reply.code(409).send({ detail: 'This email cannot be registered' });
  }
  const id = randomUUID();
  const options = await generateRegistrationOptions({
    rpName: 'Peer', rpID: RP_ID, userName: person.email, userID: Buffer.from(id),
    userDisplayName: `${person.first_name} ${person.last_name}`, attestationType: 'none',
    authenticatorSelection: SELECTION, supportedAlgorithmIDs: [-7, -257],
  });
  put(options.challenge, { kind: 'registration', person, id });
  recorded(request, 'registration_begin', person.email, null, 1, `begun for ${person.email}`);
  return { publicKey: options };
});

const store = db.transaction((request, id, person, credential, transports) => {
  const now = new Date().toISOString();
  sql.addUser.run(id, person.first_name, person.last_name, person.email, person.date_of_birth,
    person.job_title, 'user', now);
  sql.addPasskey.run(randomUUID(), id, credential.id, Buffer.from(credential.publicKey),
    credential.counter, transports.join(','), now);
  audit(request, 'registration_complete', person.email, id, 1, `User ${person.email} registered`);
});
const registration = body({ email, credential: { type: 'object' } });
app.post('/register/complete', registration, async (request, reply) => {
  const { credential } = request.body;
  const ceremony = take(credential, 'registration');
  const found = ceremony && ceremony.person.email === request.body.email
    && await verifyRegistrationResponse({
      response: credential, expectedChallenge: ceremony.challenge, expectedOrigin: ORIGIN,
      expectedRPID: RP_ID, requireUserVerification: true, supportedAlgorithmIDs: [-7, -257],
    }).catch(() => null);
  if (!found?.verified) {
    recorded(request, 'registration_complete', request.body.email, null, 0, 'refused');
    return reply.code(400).send({ detail: 'Registration failed' });
  }
  const { id, person } = ceremony;
  store(request, id, person, found.registrationInfo.credential, credential.response.transports ?? []);
  return reply.code(201).send(profileOf(sql.user.get(id)));
});

app.post('/login/begin', body({}, { email }), async (request) => {
  const user = request.body.email && sql.userByEmail.get(request.body.email);
  const allowCredentials = (user ? sql.passkeys.all(user.id) : []).map((row) => ({
    id: row.credential_id, transports: row.transports.split(','),
  }));
  const options = await generateAuthenticationOptions({
    rpID: RP_ID, allowCredentials, userVerification: 'required',
  });
  put(options.challenge, { kind: 'login', email: request.body.email });
  recorded(request, 'login_begin', request.body.email, user?.id, 1, 'Login begun');
  return { publicKey: options };
});

const loggedIn = db.transaction((request, passkey, user, counter) => {
  if (!sql.used.run(counter, passkey.id, counter).changes) throw new Error('possible clone');
  audit(request, 'login_complete', user.email, user.id, 1, `User ${user.email} logged in`);
});
async function judge(request) {
  const { assertion } = request.body;
  const ceremony = take(assertion, 'login');
  const passkey = ceremony && sql.passkey.get(assertion.id);
  const user = passkey && sql.user.get(passkey.user_id);
  if (!user || (ceremony.email ?? user.email) !== user.email) return null;
  const found = await verifyAuthenticationResponse({
    response: assertion, expectedChallenge: ceremony.challenge, expectedOrigin: ORIGIN,
    expectedRPID: RP_ID, requireUserVerification: true,
    credential: {
      id: passkey.credential_id, publicKey: passkey.public_key, counter: passkey.sign_count,
    },
  });
  if (!found.verified) return null;
  loggedIn(request, passkey, user, found.authenticationInfo.newCounter);
  return user;
}
app.post('/login/complete', body({ assertion: { type: 'object' } }, { email }),
  async (request, reply) => {
    const user = await judge(request).catch(() => null);
    if (!user) {
      recorded(request, 'login_complete', request.body.email, null, 0, 'refused');
      return reply.code(401).send({ detail: 'Invalid credentials' });
    }
    const { id, first_name, last_name, role } = user;
    const claims = { email: user.email, first_name, last_name, role };
    const token = sign({ sub: id, ...claims, jti: randomUUID() });
    return { access_token: token, token_type: 'bearer', user: { id, ...claims } };
  });

const read = db.transaction((request, token) => {
  const actor = sql.user.get(token.sub);
  const allowed = actor && (actor.role === 'admin' || actor.id === request.params.id);
  audit(request, 'user_access', actor?.email, actor?.id, allowed ? 1 : 0,
    `User ${request.params.id} accessed by ${actor?.email}`);
  return allowed ? sql.user.get(request.params.id) : null;
});
app.get('/users/:id', async (request, reply) => {
  let token;
  try {
    token = verify((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  } catch {
    return reply.code(401).send({ detail: 'Could not validate credentials' });
  }
  const user = read(request, token);
  return user ? profileOf(user) : reply.code(403).send({ detail: 'No permission' });
});

await app.listen({ host: '127.0.0.1', port: Number(PORT) });
