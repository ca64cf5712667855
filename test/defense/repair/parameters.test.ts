import { describe, expect, it } from 'vitest'
import { parameterValues, rangeOf } from '../../../src/defense/repair/parameters.ts'

const TABLE = {
	epochs: { meaning: 'passes', default: 20, low: 1, high: 100, isWhole: true },
	rank: { meaning: 'order', default: 'mean', choices: ['mean', 'max'] },
	drops: { meaning: 'points', default: [2, 4], low: 0.01, high: 100 },
	layer: { meaning: 'where', default: 'default', kind: 'a layer’s name' },
} as const
const told = (values: Parameters<typeof parameterValues>[1]) => parameterValues(TABLE, values, 'test')

describe('parameterValues', () => {
	it('takes defaults where nothing is told', () => {
		expect(told({})).toEqual({ epochs: 20, rank: 'mean', drops: [2, 4], layer: 'default' })
	})

	it('reads what was typed, and what a program gives', () => {
		const values = { epochs: 3, rank: 'max', drops: [1, 2.5], layer: 'conv_1' }
		expect(told({ epochs: '3', rank: 'max', drops: '1,2.5', layer: 'conv_1' })).toEqual(values)
		expect(told(values)).toEqual(values)
	})

	it.each([
		[{ epochs: '2.5' }, '--set epochs: expected a whole number, 1 to 100, found 2.5'],
		[{ epochs: '' }, '--set epochs: expected a whole number, 1 to 100, found nothing'],
		[{ rank: 'l1' }, '--set rank: expected mean or max, found l1'],
		[{ drops: '2,,4' }, '--set drops: expected numbers, 0.01 to 100 each, found 2,,4'],
		[{ drops: [] }, '--set drops: expected numbers, 0.01 to 100 each, found nothing'],
		[{ drops: '0' }, '--set drops: expected numbers, 0.01 to 100 each, found 0'],
		[{ layer: ' ' }, /^--set layer: expected a layer’s name/],
	])('refuses %o with the range', (values, message) => {
		expect(() => told(values)).toThrow(expect.objectContaining({ code: 'bad-parameter', exitCode: 2 }))
		expect(() => told(values)).toThrow(message)
	})

	it('names what there is where a name is unknown', () => {
		expect(() => told({ epoch: 3 })).toThrow(
			'--set epoch: test has no such parameter; it has: epochs, rank, drops, layer',
		)
	})
})

describe('rangeOf', () => {
	it('says what each kind takes', () => {
		expect(Object.values(TABLE).map(rangeOf)).toEqual([
			'a whole number, 1 to 100',
			'mean or max',
			'numbers, 0.01 to 100 each',
			'a layer’s name',
		])
		expect(rangeOf({ meaning: '', default: 1, low: 0, high: Number.POSITIVE_INFINITY })).toBe('a number of at least 0')
	})
})
