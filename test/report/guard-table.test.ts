import { describe, expect, it } from 'vitest'
import { GuardRun, type ThresholdRecord } from '../../src/contracts/guard-run.ts'
import { guardTable } from '../../src/report/guard-table.ts'

const threshold = (over: Partial<ThresholdRecord> = {}): ThresholdRecord => ({
	value: 12.34567,
	chosenBy: 'false-rejection-rate',
	asked: 1,
	valid: { rejected: 0, total: 52 },
	interval: { low: 0, high: 0.056 },
	leastProvable: 0.056,
	rejectsNothing: false,
	...over,
})

const area = { value: 0.9876, low: 0.95, high: 1, clean: 'test', negatives: 100, positives: 80 } as const
const set = { sha256: 'x', images: 100 }

const RUN = GuardRun.parse({
	schema: 'goodnet/guard@1',
	command: 'goodnet guard net.onnx',
	model: { path: 'net.onnx', sha256: 'x', format: 'onnx', inputShape: [1, 4, 4], classes: 4 },
	repaired: [],
	preprocessing: { scale: 1, mean: null, std: null, channels: 'rgb', resize: false },
	data: {
		valid: { ...set, path: 'valid.npz', images: 52, labels: 'true' },
		test: { ...set, path: 'test.npz', labels: 'true' },
		poisoned: { ...set, path: 'bd.npz', counted: 80, target: 2, labels: 'true' },
	},
	falseRejectionRate: 1,
	badnet: { test: { correct: 90, total: 100 }, poisoned: { hits: 80, recovered: 0, total: 80 } },
	guards: [
		{
			kind: 'logit',
			parameters: {},
			threshold: threshold(),
			file: 'guard_logit.onnx',
			test: { correct: 88, rejected: 2, total: 100 },
			poisoned: { hits: 4, recovered: 0, rejected: 76, total: 80 },
			auroc: area,
		},
		{
			kind: 'quorum',
			parameters: { nets: 2 },
			threshold: threshold({ value: 2, rejectsNothing: true }),
			file: 'guard_quorum.onnx',
			test: { correct: 90, rejected: 0, total: 100 },
			poisoned: { hits: 80, recovered: 0, rejected: 0, total: 80 },
			auroc: { ...area, value: 0.5 },
		},
		{
			kind: 'quarantine',
			parameters: { labels: [2] },
			threshold: threshold({ value: 0, chosenBy: 'fixed', valid: { rejected: 9, total: 52 } }),
			file: 'guard_quarantine.onnx',
			test: { correct: 80, rejected: 12, total: 100 },
			poisoned: { hits: 0, recovered: 0, rejected: 80, total: 80 },
			auroc: area,
		},
	],
	notMade: [{ kind: 'goodnet', reason: 'it needs a repaired net, --repaired FILE' }],
	sha256: {},
	environment: { goodnet: '0', node: 'v20', onnxruntime: '1', threads: 1, device: 'cpu' },
	seconds: { total: 1 },
})

describe('guardTable', () => {
	it('sets every guard beside the net without one, with intervals, and says what the figures are of', () => {
		expect(guardTable(RUN, 160)).toMatchInlineSnapshot(`
			"guard       threshold  clean accuracy         false rejections       ASR                    true rejections         AUROC
			──────────  ─────────  ─────────────────────  ─────────────────────  ─────────────────────  ──────────────────────  ───────────────────
			none (B)               90.00 % [82.56–94.48]         –                  100 % [≥ 96.32]            –                    –
			logit       12.35      88.00 % [80.19–93.00]    2.00 % [0.55–7.00]     5.00 % [1.96–12.16]   95.00 % [87.84–98.04]  0.988 [0.950–1.000]
			quorum      2          90.00 % [82.56–94.48]  ≤ 2.96 %                  100 % [≥ 96.32]     ≤ 3.68 %                0.500 [0.950–1.000]
			quarantine  0          80.00 % [71.12–86.66]   12.00 % [7.00–19.81]  ≤ 3.68 %                  100 % [≥ 96.32]      0.988 [0.950–1.000]

			thresholds: chosen on 52 clean validation images, valid.npz, of which at most 1 % may be rejected
			false rejections: 100 clean test images, test.npz
			ASR, true rejections: 80 poisoned images, bd.npz, target label 2
			AUROC: poisoned images against clean test images, over all thresholds; 1 separates them, 0.5 is chance
			brackets: 95 % intervals
			52 validation images cannot promise 1 %: with none of them rejected, the rate may still be up to 5.60 %
			logit: rejects 0 of 52 validation images, ≤ 5.60 %
			quorum: rejects 0 of 52 validation images, ≤ 5.60 %; it rejects nothing at all, since more than 1 % of the clean images have the highest score that there is
			quarantine: rejects 9 of 52 validation images, 17.31 % [9.38–29.73]; its threshold is its own, and that is more than was asked for
			goodnet was not made: it needs a repaired net, --repaired FILE
			"
		`)
	})

	it('puts intervals below their rates on a narrow terminal, and wraps what is said', () => {
		const lines = guardTable(RUN, 110).split('\n')
		expect(lines.every((line) => line.length <= 110)).toBe(true)
		expect(lines[3]).toMatch(/^ +\[82\.56–94\.48\]/)
	})

	it('leaves out what was not measured', () => {
		const guards = RUN.guards.map((guard) => ({ ...guard, test: null, poisoned: null, auroc: null }))
		const data = { ...RUN.data, test: null, poisoned: null }
		const text = guardTable({ ...RUN, guards, data, badnet: { test: null, poisoned: null } }, 160)
		expect(text.split('\n')[0]).toBe('guard       threshold')
		expect(text).toMatch(/false rejections were not measured: no --test set/)
		expect(text).toMatch(/ASR and true rejections were not measured: no --poisoned set/)
		expect(text).not.toMatch(/AUROC/)
	})

	it('calls it answered, not accurate, where the test set has no labels', () => {
		const test = { ...RUN.data.test!, labels: 'agreement' as const }
		expect(guardTable({ ...RUN, data: { ...RUN.data, test } }, 160)).toMatch(/clean answered/)
	})

	it('does not complain of too few images where there are enough', () => {
		const guards = RUN.guards.map((guard) => ({ ...guard, threshold: threshold({ leastProvable: 0.0099 }) }))
		expect(guardTable({ ...RUN, guards }, 160)).not.toMatch(/cannot promise/)
	})
})
