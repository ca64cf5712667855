import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../src/errors.ts'
import { decodeCheckpoint, encodeCheckpoint, type TrainingCheckpoint } from '../../src/train/checkpoint.ts'

const array = fc.array(fc.float({ noNaN: true }), { maxLength: 7 }).map((values) => ({
	dims: [values.length],
	data: Float32Array.from(values),
}))
const arrays = fc.dictionary(
	fc.string({ minLength: 1 }).filter((name) => name !== '__proto__' && !name.startsWith('best/')),
	array,
)
const checkpoint: fc.Arbitrary<TrainingCheckpoint> = fc.record({
	step: fc.nat(),
	state: arrays,
	best: fc.option(arrays.filter((each) => Object.keys(each).length > 0)),
	history: fc.constant([{ epoch: 1, loss: 0.1 + 0.2, train: { correct: 1, total: 2 }, valid: null }]),
	running: fc.record({
		loss: fc.double({ noNaN: true, noDefaultInfinity: true }),
		correct: fc.nat(),
		images: fc.nat(),
	}),
})

describe('checkpoints', () => {
	it('come back as they were written', () => {
		fc.assert(
			fc.property(checkpoint, (each) => {
				expect(decodeCheckpoint(encodeCheckpoint(each), 'x')).toEqual(normal(each))
			}),
		)
	})

	it('come back from what Node reads, too: a Buffer somewhere in a larger piece of memory', () => {
		fc.assert(
			fc.property(checkpoint, fc.nat(9), (each, offset) => {
				const file = encodeCheckpoint(each)
				const memory = Buffer.alloc(file.length + offset + 5, 255)
				memory.set(file, offset)
				expect(decodeCheckpoint(memory.subarray(offset, offset + file.length), 'x')).toEqual(normal(each))
			}),
		)
	})

	it('are refused by name where bytes are missing or changed, or come back; nothing else is thrown', () => {
		fc.assert(
			fc.property(checkpoint, fc.nat(), fc.nat(255), fc.boolean(), (each, at, byte, isCut) => {
				const file = encodeCheckpoint(each)
				const damaged = isCut ? file.slice(0, at % file.length) : file.with(at % file.length, byte)
				try {
					decodeCheckpoint(damaged, 'x')
				} catch (error) {
					expect(error).toBeInstanceOf(FormatError)
				}
			}),
		)
	})

	it('says what to do with a file that is none', () => {
		const message = 'run/checkpoint: expected the checkpoint of a training run, found 3 bytes; start anew with --force'
		expect(() => decodeCheckpoint(new Uint8Array(3), 'run/checkpoint')).toThrow(message)
	})
})

/** JSON knows no negative zero. */
function normal(each: TrainingCheckpoint): TrainingCheckpoint {
	return { ...each, running: { ...each.running, loss: each.running.loss + 0 } }
}
