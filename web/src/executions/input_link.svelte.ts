import { Problem, type ExecutionRequest, type StreamInput } from '../api/client';
import { leave_socket } from '../api/sockets';

/** The most that one message may carry. */
const input_max = 16_384;
/** No refusal is longer. */
const refusal_max = 4_096;

/** Types into a program that was started with `interactive`; what it writes comes elsewhere. */
export class InputLink {
  problem = $state.raw<Problem>();
  /** Whether more can be typed. */
  open = $state(true);
  private waiting: StreamInput[] = [];
  private readonly socket: WebSocket;

  constructor(
    execution: string,
    private readonly terminal: ExecutionRequest['terminal'],
  ) {
    const base = location.origin.replace(/^http/, 'ws');
    const path = `/api/v1/executions/${encodeURIComponent(execution)}/stream`;
    this.socket = new WebSocket(base + path);
    this.socket.onopen = () => this.send_waiting();
    this.socket.onmessage = ({ data }) => this.heard(String(data));
    this.socket.onclose = () => (this.open = false);
  }

  type(text: string): void {
    for (let at = 0; at < text.length; ) {
      const piece = whole_characters(text.slice(at, at + input_max));
      this.send({ type: 'input', text: piece });
      at += piece.length;
    }
  }

  /** What Ctrl-D does. */
  end(): void {
    if (this.terminal) this.type('\x04');
    else this.send({ type: 'end_of_input' });
    if (!this.terminal) this.open = false;
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    if (this.terminal) this.type('\x03');
    else this.send({ type: 'signal', signal: 'SIGINT' });
  }

  close(): void {
    leave_socket(this.socket);
    this.open = false;
  }

  private send(message: StreamInput): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    else this.waiting.push(message);
  }

  private send_waiting(): void {
    for (const message of this.waiting) this.socket.send(JSON.stringify(message));
    this.waiting = [];
  }

  private heard(data: string): void {
    // Output follows by the events; here only refusals matter.
    if (data.length > refusal_max) return;
    const { type, code, detail } = JSON.parse(data) as Record<string, string>;
    if (type === 'error') this.problem = new Problem(0, code ?? '', detail ?? '');
  }
}

/** Without the first half of a character whose second half is in the next piece. */
function whole_characters(text: string): string {
  const cut = text.length > 1 && /[\ud800-\udbff]$/.test(text);
  return cut ? text.slice(0, -1) : text;
}
