import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DefenseSuite } from '../../../src/contracts/defense-suite.ts'
import { planCells, readSuite } from '../../../src/lab/defense-bench/read-suite.ts'
import { inTemporaryFolder } from '../../helpers/cli.ts'

const plain = { name: 'plain', model: 'nets/plain.onnx', data: '/data/clean.npz', test: '../test.npz:data,label' }
const backdoored = { ...plain, name: 'bad', poisoned: 'bad.npz', target: 3, twin: 'plain' }
const suite = DefenseSuite.parse({
	schema: 'goodnet/defense-suite@1',
	subjects: [backdoored, plain],
	methods: ['fine-tuning', { method: 'fine-tuning', as: 'ft-long', set: { epochs: 40 }, seeds: [0, 7] }],
})
const names = (plans: ReturnType<typeof planCells>) =>
	plans.map(({ subject, label, seed }) => `${subject.name} ${label} ${seed}`)

describe('planCells', () => {
	it('goes seed by seed and net by net, with each method’s own seeds', () => {
		expect(names(planCells(suite, '/suites/a.json'))).toEqual([
			'bad fine-tuning 0',
			'bad ft-long 0',
			'plain fine-tuning 0',
			'plain ft-long 0',
			'bad ft-long 7',
			'plain ft-long 7',
		])
	})

	it('takes paths from the folder of the suite, also those with names behind a colon, and absolute ones as they are', () => {
		const [{ subject }] = planCells(suite, '/suites/a.json') as [ReturnType<typeof planCells>[number]]
		expect(subject).toMatchObject({
			model: '/suites/nets/plain.onnx',
			data: '/data/clean.npz',
			test: '/test.npz:data,label',
			poisoned: '/suites/bad.npz',
		})
	})

	it('measures an honest twin on the triggered images of its sibling, and still calls it honest', () => {
		const honest = planCells(suite, '/suites/a.json').find(({ subject }) => subject.name === 'plain')!.subject
		expect(honest).toMatchObject({ isBackdoored: false, poisoned: '/suites/bad.npz', target: 3 })
		expect(honest).not.toHaveProperty('twin')
	})

	it('writes down every parameter, defaults included', () => {
		const plans = planCells(suite, 'a.json', { methods: ['ft-long'], seeds: [0] })
		for (const { parameters } of plans) expect(parameters).toMatchObject({ epochs: 40, momentum: 0.9 })
	})

	it('notices a method that was told a label, and believes the suite where it says so', () => {
		const methods = ['unlearn', { method: 'unlearn', as: 'told', set: { label: 3 } }, { method: 'anp', isOracle: true }]
		const plans = planCells(DefenseSuite.parse({ ...suite, subjects: [plain], methods }), 'a.json')
		expect(plans.map(({ label, isOracle }) => [label, isOracle])).toEqual([
			['unlearn', false],
			['told', true],
			['anp', true],
		])
	})

	it('runs what is chosen by name, with the seeds that are told', () => {
		const choice = { subjects: ['plain'], methods: ['ft-long'], seeds: [4, 5] }
		expect(names(planCells(suite, 'a.json', choice))).toEqual(['plain ft-long 4', 'plain ft-long 5'])
	})

	it.each([
		[{ subjects: ['nobody'] }, '--subjects: expected names of the suite (bad, plain), found "nobody"'],
		[{ methods: ['anp'] }, '--methods: expected names of the suite (fine-tuning, ft-long), found "anp"'],
	])('refuses a choice that the suite does not have: %j', (choice, message) => {
		expect(() => planCells(suite, 'a.json', choice)).toThrow(expect.objectContaining({ code: 'unknown-name', message }))
	})

	it('refuses a parameter that the method does not have, before anything runs', () => {
		const wrong = { ...suite, methods: [{ method: 'fine-tuning' as const, set: { epoch: 1 }, isOracle: false }] }
		expect(() => planCells(wrong, 'a.json')).toThrow(expect.objectContaining({ code: 'unknown-parameter' }))
	})
})

describe('readSuite', () => {
	it.each([
		['no JSON', '{', 'found no JSON'],
		['another file', '{"schema":"goodnet/prune@1"}', 'schema'],
		[
			'a subject without a test set',
			'{"schema":"goodnet/defense-suite@1","methods":["anp"],"subjects":[{"name":"a","model":"m","data":"d"}]}',
			'subjects[0].test',
		],
	])('says in one line what is wrong with %s', (_, text, words) =>
		inTemporaryFolder(async (folder) => {
			const path = join(folder, 'suite.json')
			writeFileSync(path, text)
			const error: Error = await readSuite(path).catch((thrown) => thrown)
			expect(error).toMatchObject({ code: 'bad-suite', exitCode: 3, path })
			expect(error.message).toContain(words)
			expect(error.message).toMatch(/^[^\n]*suite\.json: expected a suite of nets and methods[^\n]*$/)
		}),
	)

	it('says that a file is not there', () =>
		expect(readSuite('/nowhere/suite.json')).rejects.toMatchObject({ code: 'not-found', exitCode: 3 }))
})
