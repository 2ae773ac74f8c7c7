/** Leaves a socket for good. A browser complains of one that is closed before it is open. */
export function leave_socket(socket: WebSocket): void {
  socket.onclose = null;
  socket.onmessage = null;
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
  else socket.close();
}
