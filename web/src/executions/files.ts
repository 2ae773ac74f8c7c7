import type { InputFile } from '../api/client';

/** All files of a program together, decoded. */
export const files_bytes_max = 8 * 1024 * 1024;

/** A file from disk as the API takes it: as text where it is text, so that it can be edited. */
export function to_input(path: string, bytes: Uint8Array): InputFile {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\0')) return { path, content: text, encoding: 'utf8', executable: false };
  } catch {
    // Not UTF-8: it goes as base64.
  }
  return { path, content: base64(bytes), encoding: 'base64', executable: false };
}

export function decoded_bytes(file: InputFile): number {
  if (file.encoding !== 'base64') return new TextEncoder().encode(file.content).length;
  const padding = /=*$/.exec(file.content)![0].length;
  return (file.content.length / 4) * 3 - padding;
}

/** A name for a new file that no other has. */
export function free_path(files: readonly InputFile[]): string {
  for (let n = files.length + 1; ; n += 1) {
    const path = `file-${n}.txt`;
    if (!files.some((file) => file.path === path)) return path;
  }
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}
