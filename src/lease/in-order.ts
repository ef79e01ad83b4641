/** Nearly always at the end: answers come back about in the order of their pulls. */
export function insertByDeadline<T extends { readonly deadline: number }>(list: T[], item: T): void {
  insertInOrder(list, item, (a, b) => a.deadline - b.deadline);
}

/** Puts an item behind all that do not come after it. */
export function insertInOrder<T>(list: T[], item: T, compare: (a: T, b: T) => number): void {
  let index = list.length;
  for (let before = list[index - 1]; before !== undefined && compare(before, item) > 0; before = list[index - 1])
    index -= 1;
  if (index === list.length) list.push(item);
  else list.splice(index, 0, item);
}
