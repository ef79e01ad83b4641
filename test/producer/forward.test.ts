import { describe, expect, it } from 'vitest';
import { envelope, forward, type Forwardable } from '../../src/index.ts';

function message(id: string): Forwardable {
  return { id, ack: () => Promise.resolve(), retry: () => Promise.resolve() };
}

describe('forward()', () => {
  it('takes a message, or several', () => {
    const [one, two, three] = [message('1'), message('2'), message('3')];
    expect(forward(one, ['a']).messages).toEqual([one]);
    expect(forward([two, three], []).messages).toEqual([two, three]);
    expect(forward([], ['a']).outputs).toEqual(['a']);
  });

  it('takes a message into one group only', () => {
    const one = message('1');
    forward(one, []);
    expect(() => forward(one, ['a'])).toThrow(
      new TypeError('Cannot forward message 1 in two groups: make one group of all that it becomes'),
    );
    const two = message('2');
    expect(() => forward([two, two], [])).toThrow(TypeError);
  });

  it('leaves messages that it refused to be forwarded', () => {
    const [one, two] = [message('1'), message('2')];
    forward(one, []);
    expect(() => forward([two, one], [])).toThrow(TypeError);
    expect(forward(two, []).messages).toEqual([two]);
  });

  it('is not changed by what its arguments become', () => {
    const outputs = ['a'];
    const messages = [message('1')];
    const group = forward(messages, outputs);
    outputs.push('b');
    messages.pop();
    expect([group.outputs, group.messages.length]).toEqual([['a'], 1]);
  });

  it.each([[undefined], [null], ['id'], [{ id: '1' }], [{ ...message('1'), ack: undefined }], [[message('1'), 2]]])(
    'refuses %j for a message',
    (it_) => {
      expect(() => forward(it_ as never, [])).toThrow(
        /'messageOrMessages' must be a leased message or an array of them/,
      );
    },
  );

  it.each([[undefined], ['a'], [{}]])('refuses %j for outputs', (outputs) => {
    expect(() => forward(message('1'), outputs as never)).toThrow(/'outputs' must be an array/);
  });
});

describe('envelope()', () => {
  it.each([
    [{ delaySeconds: -1 }, RangeError],
    [{ delaySeconds: 86_401 }, RangeError],
    [{ delaySeconds: '1' }, TypeError],
    [{ contentType: 'bytes' }, TypeError],
    [null, TypeError],
  ])('refuses %j', (options, error) => {
    expect(() => envelope(1, options as never)).toThrow(error);
  });
});
