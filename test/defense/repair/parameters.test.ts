import { describe, expect, it } from 'vitest'
import { type ParameterTable, parameterValues, rangeOf } from '../../../src/defense/repair/parameters.ts'

const TABLE = {
	epochs: { meaning: 'passes', default: 20, low: 1, high: 100, isWhole: true },
	lr: { meaning: 'learning rate', default: 0.01, low: 0, high: Number.POSITIVE_INFINITY },
	layers: { meaning: 'which', default: 'last', choices: ['last', 'all'] },
} as const satisfies ParameterTable

describe('parameterValues', () => {
	it('gives defaults, and what was told instead, typed or not', () => {
		expect(parameterValues(TABLE, {}, 'm')).toEqual({ epochs: 20, lr: 0.01, layers: 'last' })
		expect(parameterValues(TABLE, { epochs: '7', lr: 0.5, layers: 'all' }, 'm')).toEqual({
			epochs: 7,
			lr: 0.5,
			layers: 'all',
		})
	})

	it.each([
		['epochs', '7.5', '--set epochs: expected a whole number, 1 to 100, found 7.5'],
		['epochs', 0, '--set epochs: expected a whole number, 1 to 100, found 0'],
		['epochs', '', '--set epochs: expected a whole number, 1 to 100, found '],
		['lr', 'fast', '--set lr: expected a number of at least 0, found fast'],
		['lr', -1, '--set lr: expected a number of at least 0, found -1'],
		['layers', 'first', '--set layers: expected last or all, found first'],
	])('refuses %s = %s and says what is expected', (name, value, message) => {
		expect(() => parameterValues(TABLE, { [name]: value }, 'm')).toThrow(
			expect.objectContaining({ code: 'bad-parameter', exitCode: 2, message }),
		)
	})

	it('refuses a name that the method does not have, and lists those that it has', () => {
		expect(() => parameterValues(TABLE, { rate: 1 }, 'fine-tuning')).toThrow(
			expect.objectContaining({
				code: 'unknown-parameter',
				exitCode: 2,
				message: '--set rate: fine-tuning has no such parameter; it has: epochs, lr, layers',
			}),
		)
	})

	it('says ranges as a reader would', () => {
		expect(Object.values(TABLE).map(rangeOf)).toEqual([
			'a whole number, 1 to 100',
			'a number of at least 0',
			'last or all',
		])
	})
})
