/** A step whose work is done ahead of it, by other resources: its scripts leave only its mark on the server. */
export const markFolder = new URL("./", import.meta.url);
