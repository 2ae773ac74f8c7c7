// A gantry server with a host for each way, and its API: answers, streams of events, terminals.
import assert from 'node:assert/strict';
import { Server, pause } from '../faults/server.mjs';

/** Only so that a test that fails ends. */
export const patience_ms = 120_000;

export class Fleet extends Server {
  url = (path) => `http://127.0.0.1:${this.port}/api/v1${path}`;
  headers = (more = {}) => ({ authorization: `Bearer ${this.token}`, ...more });

  /** An exchange that succeeds: its JSON. */
  async ask(method, path, body) {
    const { status, body: answer } = await this.api(method, `/api/v1${path}`, body);
    assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** An exchange that is refused: {status, code}. */
  async refused(method, path, body) {
    const { status, body: answer } = await this.api(method, `/api/v1${path}`, body);
    return { status, code: answer?.code };
  }

  /** A whole answer that is text: {text, headers}. */
  async text(path) {
    const answer = await fetch(this.url(path), { headers: this.headers(),
      signal: AbortSignal.timeout(patience_ms) });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return { text, headers: answer.headers };
  }

  /** Server-sent events, {name, data}, until the stream ends or nobody asks for more. */
  async *events(path, { method = 'GET', body } = {}) {
    const given_up = new AbortController();
    const late = AbortSignal.timeout(patience_ms);
    const headers = this.headers({ accept: 'text/event-stream',
      ...(body && { 'content-type': 'application/json' }) });
    const answer = await fetch(this.url(path), { method, headers,
      body: body && JSON.stringify(body), signal: AbortSignal.any([given_up.signal, late]) });
    try {
      assert.equal(answer.status, 200);
      const decoder = new TextDecoder();
      let rest = '';
      for await (const piece of answer.body) {
        const frames = (rest + decoder.decode(piece, { stream: true })).split('\n\n');
        rest = frames.pop();
        for (const frame of frames) {
          const name = /^event: (.*)$/m.exec(frame)?.[1];
          if (name) yield { name, data: JSON.parse(/^data: (.*)$/m.exec(frame)[1]) };
        }
      }
    } finally {
      given_up.abort();
    }
  }

  /** Speaks as the screen of a terminal; `react(shown, type)` is told all that has been shown.
   * Answers {shown, ended, code} at its end. */
  screen({ id, ticket }, react) {
    return new Promise((done, failed) => {
      const socket = new WebSocket(this.url(`/terminals/${id}`).replace('http', 'ws'),
        { headers: this.headers() });
      socket.binaryType = 'arraybuffer';
      const decoder = new TextDecoder();
      const timer = setTimeout(() => failed(new Error(`terminal shows ${shown}`)), patience_ms);
      let shown = '';
      let ended = null;
      socket.onopen = () => socket.send(JSON.stringify(
        { type: 'attach', ticket, columns: 91, rows: 31 }));
      socket.onmessage = ({ data }) => {
        if (typeof data === 'string') {
          const message = JSON.parse(data);
          if (message.type === 'ended') ended = message;
          if (message.type === 'error') failed(new Error(data));
          return;
        }
        shown += decoder.decode(data, { stream: true });
        react(shown, (text) => socket.send(new TextEncoder().encode(text)));
      };
      socket.onerror = ({ message }) => failed(new Error(`terminal: ${message}`));
      socket.onclose = ({ code }) => {
        clearTimeout(timer);
        done({ shown, ended, code });
      };
    });
  }
}

/** Looks again and again until `look` answers something true, and answers that. */
export async function until(what, look) {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    assert.ok(Date.now() < deadline, `not in time: ${what}`);
    await pause(100);
  }
}
