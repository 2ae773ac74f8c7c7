/** The few choices that this browser remembers. A browser that refuses storage forgets them. */
export const kept = {
  get<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    try {
      const value = localStorage.getItem(`gantry.${name}`);
      return choices.find((choice) => choice === value);
    } catch {
      return undefined;
    }
  },

  set(name: string, value: string): void {
    try {
      localStorage.setItem(`gantry.${name}`, value);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  },
};
