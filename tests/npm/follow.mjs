// Follows a subscription with one of the clients that front ends use, and prints what comes, one JSON line each.
// node follow.mjs (ws|sse) ADDRESS TOKEN '{"query": ..., "variables": ...}' COUNT
import { createClient as overEvents } from "graphql-sse";
import { createClient as overSocket } from "graphql-ws";
import WebSocket from "ws";

const [way, address, token, payload, count] = process.argv.slice(2);
const authorization = `Bearer ${token}`;

const say = (what) => console.log(JSON.stringify(what));

const client =
  way === "ws"
    ? overSocket({
        url: `${address.replace("http", "ws")}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { Authorization: authorization },
        retryAttempts: 0,
        on: { connected: (_, ack) => say({ ack: ack ?? null }) },
      })
    : overEvents({ url: `${address}/graphql`, headers: { authorization }, retryAttempts: 0 });

let left = Number(count);
try {
  for await (const result of client.iterate(JSON.parse(payload))) {
    say({ result });
    if (--left === 0) break;
  }
  say({ end: true });
} catch (error) {
  say({ error: Array.isArray(error) ? error : { code: error.code, reason: error.reason, message: error.message } });
}
await client.dispose();
process.exit(0);
