/** How much of each output a result has, as its users know it. */
export const OUTPUT_LENGTH_MAX = 8000;

/** The first `maxLength` UTF-16 code units, and how many more there were. */
export function truncateOutput(output: string, maxLength = OUTPUT_LENGTH_MAX): string {
  if (output.length <= maxLength) return output;
  const more = output.length - maxLength;
  return `${output.slice(0, maxLength)}\n\n... [truncated ${more} more characters]`;
}
