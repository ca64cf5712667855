import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closingTable } from '../../src/report/table.ts'
import { wrapWords } from '../../src/report/wrap.ts'
import { smallRun } from './runs.ts'

describe('wrapWords', () => {
	it('keeps every word and never makes a line longer than asked, but for a word that is', () => {
		const word = fc.stringMatching(/^[a-z]{1,12}$/)
		fc.assert(
			fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 5, max: 40 }), (words, width) => {
				const wrapped = wrapWords(words.join(' '), width)
				expect(wrapped.split(/\s/)).toEqual(words)
				for (const line of wrapped.split('\n')) expect(line.length <= width || !line.includes(' ')).toBe(true)
			}),
		)
	})
})

describe('closingTable on a narrow terminal', () => {
	it('puts intervals below their rates and stays within 100 columns', () => {
		const lines = closingTable(smallRun(), 100).split('\n')
		expect(lines.every((line) => line.length <= 100)).toBe(true)
		expect(lines.join('\n')).toMatch(/98\.00 %.*\n.*\[96\.36–98\.91\]/)
	})
})
