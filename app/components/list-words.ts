const lists = new Intl.ListFormat("en-GB", { style: "long", type: "conjunction" });

/** "A", "A and B", "A, B and C". */
export const listWords = (names: readonly string[]): string => lists.format(names);

/** "A needs", "A and B need". */
export const needWords = (names: readonly string[]): string =>
  `${listWords(names)} ${names.length === 1 ? "needs" : "need"}`;
