import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap, type HeapItem } from '../../../src/broker/queue/heap.ts';

class Item implements HeapItem {
  dueAt: number;
  readonly sequence: number;
  heapIndex = -1;

  constructor(dueAt: number, sequence: number) {
    this.dueAt = dueAt;
    this.sequence = sequence;
  }
}

const inOrder = (items: readonly Item[]): Item[] =>
  items.toSorted((a, b) => a.dueAt - b.dueAt || a.sequence - b.sequence);

describe('Heap', () => {
  it('keeps the order of due time, then sequence, whatever is added and removed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.nat())), (steps) => {
        const heap = new Heap<Item>();
        let model: Item[] = [];
        steps.forEach(([dueAt, add, which], sequence) => {
          if (add || model.length === 0) {
            const item = new Item(dueAt, sequence);
            heap.add(item);
            model.push(item);
          } else {
            const item = model[which % model.length];
            if (item === undefined) return;
            heap.remove(item);
            model = model.filter((other) => other !== item);
            expect(item.heapIndex).toBe(-1);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.peek()).toBe(inOrder(model)[0]);
          expect([...heap.inOrder()]).toEqual(inOrder(model));
          expect(new Set(heap.values())).toEqual(new Set(model));
        });
      }),
    );
  });
});
