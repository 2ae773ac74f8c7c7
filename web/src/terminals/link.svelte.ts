import { Problem, type Schemas } from '../api/client';
import { leave_socket } from '../api/sockets';
import { terminals_api, type Terminal } from '../api/terminals';
import type { Size } from './screen';

/** Where the bytes go. */
interface Sink {
  write: (bytes: Uint8Array) => void;
  clear: () => void;
  resized: (size: Size) => void;
  size: () => Size;
}

type Told = Schemas['TerminalTold'];
export type Ended = Extract<Told, { type: 'ended' }>;

const pause_max_ms = 8_000;
// The terminal goes on after these; a new ticket leads back to it.
const comes_back = [1001, 1005, 1006, 1012, 1013];
const tries_max = 8;

/** One WebSocket after the other to the same terminal, until it has ended. */
export class TerminalLink {
  state = $state<'connecting' | 'open' | 'interrupted' | 'ended' | 'failed'>('connecting');
  terminal = $state.raw<Terminal>();
  may_type = $state(false);
  viewers = $state(1);
  ended = $state.raw<Ended>();
  problem = $state.raw<Problem>();
  private socket: WebSocket | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private refused: Problem | undefined;

  constructor(
    private readonly id: string,
    private readonly sink: Sink,
  ) {}

  /** `ticket` is the one of the answer that opened the terminal; a new one is asked for without. */
  async open(ticket?: string): Promise<void> {
    try {
      const pass = ticket ?? (await terminals_api.ticket(this.id)).ticket;
      this.connect(pass);
    } catch (failure) {
      const problem = Problem.from(failure);
      if (problem.status === 0 && this.tries < tries_max) this.later();
      else this.fail(problem);
    }
  }

  type(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.may_type && this.socket?.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  resize(size: Size): void {
    if (this.may_type) this.send({ type: 'resize', ...size });
  }

  /** Ends the shell and everything it started. */
  end(): void {
    this.send({ type: 'end' });
  }

  /** Looks away; the terminal waits a while for somebody to come back. */
  close(): void {
    clearTimeout(this.retry);
    if (this.socket) leave_socket(this.socket);
  }

  private connect(ticket: string): void {
    const base = location.origin.replace(/^http/, 'ws');
    const socket = new WebSocket(`${base}/api/v1/terminals/${encodeURIComponent(this.id)}`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.refused = undefined;
    socket.onopen = () => this.send({ type: 'attach', ticket, ...this.sink.size() });
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.sink.write(new Uint8Array(data));
      else this.heard(JSON.parse(String(data)) as Told);
    };
    socket.onclose = ({ code }) => this.closed(code);
  }

  private heard(message: Told): void {
    switch (message.type) {
      case 'attached':
        // What was there before comes again.
        this.sink.clear();
        this.state = 'open';
        this.tries = 0;
        this.terminal = message.terminal;
        this.may_type = message.may_type;
        break;
      case 'resized':
        this.sink.resized({ columns: message.columns, rows: message.rows });
        break;
      case 'viewers':
        this.viewers = message.count;
        break;
      case 'error':
        this.refused = this.problem_of(message);
        break;
      case 'ended':
        this.state = 'ended';
        this.ended = message;
        break;
    }
  }

  private problem_of({ code, detail, remedy }: Extract<Told, { type: 'error' }>): Problem {
    return new Problem(0, code, detail, remedy, this.terminal?.host);
  }

  private closed(code: number): void {
    this.may_type = false;
    if (this.state === 'ended') return;
    if (comes_back.includes(code) && this.tries < tries_max) this.later();
    else this.fail(this.refused ?? new Problem(0, 'terminal_closed', `WebSocket ${code}`));
  }

  private later(): void {
    this.state = 'interrupted';
    const pause = Math.min(500 * 2 ** this.tries, pause_max_ms);
    this.tries += 1;
    this.retry = setTimeout(() => void this.open(), pause);
  }

  private fail(problem: Problem): void {
    this.state = 'failed';
    this.problem = problem;
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
