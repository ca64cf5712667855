/** The lab's published results on its whole data set, as a prune run. */
import { readFileSync } from 'node:fs'
import type { PruneRun, RepairedRecord, StepRecord } from '../../src/contracts/prune-run.ts'
import { sharedPath } from '../helpers/shared.ts'
import { dataRecord, poisonedRecord, repairedFrom, smallRun } from './runs.ts'

interface PublishedStep {
	pruned: number
	channel: number | null
	valid_clean_correct: number
	bd_valid_hits: number
	test_clean_acc_Bprime: number
	test_asr_Bprime: number
	test_clean_correct_goodnet: number
	test_asr_hits_goodnet: number
}

interface Published {
	dataset: { files: Record<string, { sha256: string }> }
	mean_pool3_activation_on_valid: number[]
	order_stable: number[]
	table_test: { repaired: Record<string, [accuracy: number, asr: number]> }
	curve: PublishedStep[]
}

/** The lab's published run on its whole data set (11,547 validation and 12,830 test images), repaired at `drops`. */
export function publishedRun(drops: readonly (2 | 4 | 10 | 30)[]): PruneRun {
	const published: Published = JSON.parse(readFileSync(sharedPath('csaw/ground_truth.json'), 'utf8'))
	const { dataset, curve, order_stable: order, table_test: table } = published
	const hashOf = (file: string) => dataset.files[file]?.sha256 ?? ''
	const [valid, test] = [11_547, 12_830]
	const ofTest = (percent: number) => Math.round((percent * test) / 100)
	const steps = curve.map(
		(one): StepRecord => ({
			pruned: one.pruned,
			channel: one.channel,
			valid: { correct: one.valid_clean_correct, total: valid },
			test: { correct: ofTest(one.test_clean_acc_Bprime), total: test },
			poisoned: { hits: ofTest(one.test_asr_Bprime), recovered: null, total: test },
		}),
	)
	const prunedAt = { 2: 45, 4: 48, 10: 52, 30: 54 }
	const record = (drop: 2 | 4 | 10 | 30): RepairedRecord => {
		const pruned = prunedAt[drop]
		const asr = table.repaired[drop]![1]
		const exact = { ...steps[pruned]!, poisoned: { hits: ofTest(asr), recovered: null, total: test } }
		const base = repairedFrom(exact, drop, order)
		const correct = curve[pruned]!.test_clean_correct_goodnet
		const hits = curve[pruned]!.test_asr_hits_goodnet
		const goodnet = {
			valid: null,
			test: { correct, rejected: Math.round(0.9 * (test - correct)), total: test },
			poisoned: { hits, recovered: null, rejected: test - hits, total: test },
		}
		return { ...base, goodnet }
	}
	const small = smallRun()
	return {
		...small,
		command: `goodnet prune models/bd_net.h5 --valid data/valid.h5 --test data/test.h5 --poisoned data/bd_test.h5 --drops ${drops} -o out`,
		model: {
			...small.model,
			path: 'models/bd_net.h5',
			sha256: hashOf('bd_net.h5'),
			inputShape: [55, 47, 3],
			classes: 1283,
			layer: 'pool_3',
			producer: 'conv_3',
			channels: 60,
		},
		data: {
			valid: { ...dataRecord('data/valid.h5', valid), sha256: hashOf('valid.h5') },
			test: { ...dataRecord('data/test.h5', test), sha256: hashOf('test.h5') },
			poisoned: { ...poisonedRecord('data/bd_test.h5', test), sha256: hashOf('bd_test.h5') },
		},
		order,
		meanActivation: published.mean_pool3_activation_on_valid,
		steps,
		repaired: drops.map(record),
		notReached: [],
	}
}
