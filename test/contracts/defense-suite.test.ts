import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { DefenseSuite, methodLabel } from '../../src/contracts/defense-suite.ts'

const honest = { name: 'net', model: 'net.onnx', data: 'clean.npz', test: 'test.npz' }
const backdoored = { ...honest, poisoned: 'poisoned.npz' }
const suite = { schema: 'goodnet/defense-suite@1', subjects: [honest], methods: ['fine-tuning'] }

/** What is said of a suite with these subjects and methods. */
function complaint(over: Record<string, unknown>): string {
	const { error } = DefenseSuite.safeParse({ ...suite, ...over })
	return error ? z.prettifyError(error) : 'fine'
}

describe('DefenseSuite', () => {
	it('fills in what is left out: seed 0, no settings, no oracle', () => {
		expect(DefenseSuite.parse(suite)).toEqual({
			...suite,
			methods: [{ method: 'fine-tuning', set: {}, isOracle: false }],
			seeds: [0],
		})
	})

	it('takes a scale as a number or as the fraction that one types', () => {
		const scales = [1 / 255, '1/255'].map((scale) => ({ ...honest, name: `net-${typeof scale}`, scale }))
		expect(DefenseSuite.parse({ ...suite, subjects: scales }).subjects.map(({ scale }) => scale)).toEqual([
			1 / 255,
			1 / 255,
		])
	})

	it.each([
		['..', 'small letters'],
		['a/b', 'small letters'],
		['a__b', 'small letters'],
		['', 'small letters'],
		['A', 'small letters'],
		['-a', 'small letters'],
	])('refuses the name "%s", which could not name a file or could name another one', (name, words) => {
		expect(complaint({ subjects: [{ ...honest, name }] })).toContain(words)
		expect(complaint({ methods: [{ method: 'anp', as: name }] })).toContain(words)
	})

	it.each<[string, Record<string, unknown>, string]>([
		['no subject', { subjects: [] }, 'subjects'],
		['no method', { methods: [] }, 'methods'],
		['a method that nobody knows', { methods: ['magic'] }, 'methods[0]'],
		['two subjects of one name', { subjects: [honest, honest] }, 'two subjects are called net'],
		['two methods of one name', { methods: ['anp', { method: 'anp', set: { x: 1 } }] }, 'tell them apart with as'],
		['a misspelt key', { subjects: [{ ...honest, tset: 'x' }] }, 'tset'],
		['no clean data', { subjects: [{ ...honest, data: undefined }] }, 'expected either data, or tuning and valid'],
		['tuning without valid', { subjects: [{ ...honest, data: undefined, tuning: 'a' }] }, 'data, or tuning and valid'],
		['data and valid', { subjects: [{ ...honest, valid: 'a' }] }, 'does not go with tuning or valid'],
		['a target without triggered images', { subjects: [{ ...honest, target: 1 }] }, 'expected poisoned beside them'],
		['a twin that is not there', { subjects: [{ ...backdoored, twin: 'b' }] }, 'its twin b is no subject of the suite'],
		[
			'a twin with a backdoor',
			{
				subjects: [
					{ ...backdoored, twin: 'b' },
					{ ...backdoored, name: 'b' },
				],
			},
			'has a backdoor, too',
		],
	])('refuses %s', (_, over, words) => {
		expect(complaint(over)).toContain(words)
	})

	it('a method is called as told, else by its name', () => {
		expect(methodLabel({ method: 'anp' })).toBe('anp')
		expect(methodLabel({ method: 'anp', as: 'anp-hard' })).toBe('anp-hard')
	})
})
