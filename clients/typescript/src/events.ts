/** One server-sent event: its name and its data lines joined. */
export interface ServerEvent {
  name: string;
  data: string;
}

const border = '\n\n';

/**
 * Takes apart a `text/event-stream`; comments and retry times are read over. `onId` is told every
 * id, also those that come alone.
 */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>, onId: (id: string) => void = () => undefined,
): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // A verdict may be long: what was looked through is not looked through again.
      let from = Math.max(0, text.length - 1);
      text += decoder.decode(value, { stream: true });
      for (let end; (end = text.indexOf(border, from)) >= 0; from = 0) {
        const event = eventOf(text.slice(0, end), onId);
        text = text.slice(end + border.length);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string, onId: (id: string) => void): ServerEvent | undefined {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [field, ...rest] = line.split(':');
    const value = rest.join(':').replace(/^ /, '');
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
    if (field === 'id') onId(value);
  }
  return data.length === 0 ? undefined : { name, data: data.join('\n') };
}
