/** CSAW HackML 2020, lab 3, from beginning to end on the lab's own files, measured beside published. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256OfFile } from '../data/hash.ts'
import type { ImageSet } from '../data/image-set.ts'
import { openImages } from '../data/open.ts'
import { countPoisoned, prune, type Sweep } from '../defense/prune/prune.ts'
import type { PoisonedTally } from '../defense/prune/tally.ts'
import { InputError, throwIfAborted } from '../errors.ts'
import { exists } from '../files.ts'
import { loadModel } from '../model/load.ts'
import type { Model } from '../model/model.ts'
import * as published from './csaw-lab3-facts.ts'
import { lab3Architecture } from './lab3-architecture.ts'

type LabFile = keyof typeof published.FILES

const DATA_FILES = ['valid.h5', 'bd_valid.h5', 'test.h5', 'bd_test.h5'] as const
const WHERE =
	'github.com/csaw-hackml/CSAW-HackML-2020 (lab3: the data behind the link in its README, the nets in lab3/models)'

/** What is compared: the published counts, or others of the same shape for a smaller set. */
export type Published = Pick<
	typeof published,
	| 'LAYER'
	| 'DROPS'
	| 'ORDER'
	| 'PRUNED'
	| 'REPAIRED_TEST_CORRECT'
	| 'REPAIRED_TEST_HITS'
	| 'VALID_CORRECT'
	| 'POISONED_VALID_HITS'
	| 'GOODNET_TEST_CORRECT'
	| 'GOODNET_TEST_HITS'
>

/** A measured figure beside the published one. */
export interface Comparison {
	readonly what: string
	/** Channels pruned. */
	readonly pruned: number
	/** Null where nothing could be measured: a drop that was not reached. */
	readonly measured: number | null
	readonly published: number
	readonly isWithin: boolean
}

export interface LabOptions {
	readonly signal?: AbortSignal | undefined
	readonly onProgress?: (stage: string, done: number, total: number) => void
}

/** The files of the lab in one folder, checked. */
export interface LabFiles {
	readonly net: string
	readonly data: Readonly<Record<(typeof DATA_FILES)[number], string>>
}

/**
 * Looks for the lab's files and checks size and SHA-256 of each.
 * @throws InputError `lab-files-missing` naming each and where it is published; `wrong-digest`
 */
export async function findLabFiles(folder: string, { signal, onProgress }: LabOptions = {}): Promise<LabFiles> {
	const net: LabFile = (await exists(join(folder, 'bd_net.h5'))) ? 'bd_net.h5' : 'bd_weights.h5'
	const needed: LabFile[] = [net, ...DATA_FILES]
	const present = await Promise.all(needed.map((name) => exists(join(folder, name))))
	const missing = needed.filter((_, i) => !present[i])
	if (missing.length > 0) throw missingFiles(folder, missing)
	for (const [i, name] of needed.entries()) {
		throwIfAborted(signal)
		await checkFile(join(folder, name), name)
		onProgress?.('check files', i + 1, needed.length)
	}
	const paths = Object.fromEntries(DATA_FILES.map((name) => [name, join(folder, name)]))
	return { net: join(folder, net), data: paths as LabFiles['data'] }
}

function missingFiles(folder: string, missing: readonly LabFile[]): InputError {
	const list = missing.map((name) => {
		const { bytes, sha256 } = published.FILES[name]
		const alternative = name === 'bd_weights.h5' ? ' (or bd_net.h5)' : ''
		return `  ${join(folder, name)}${alternative}, ${bytes} bytes, SHA-256 ${sha256}`
	})
	const message = `${folder} lacks ${missing.length} of the lab's files. They are published at ${WHERE}; expected:\n${list.join('\n')}`
	return new InputError('lab-files-missing', message, { path: folder })
}

async function checkFile(path: string, name: LabFile): Promise<void> {
	const expected = published.FILES[name]
	const { size } = await stat(path)
	if (size !== expected.bytes) {
		throw new InputError(
			'wrong-digest',
			`${path}: expected the lab's ${name} of ${expected.bytes} bytes, found ${size}; download it again`,
			{ path },
		)
	}
	const found = await sha256OfFile(path)
	if (found === expected.sha256) return
	const message = `${path}: expected the lab's ${name} with SHA-256 ${expected.sha256}, found ${found}; download it again`
	throw new InputError('wrong-digest', message, { path })
}

/** Loads the lab's net; weights alone get the lab's architecture. */
export async function loadLabNet(path: string): Promise<Model> {
	return loadModel(path, { architecture: await lab3Architecture() })
}

/** Runs the whole lab and compares every count. */
export async function runLab(
	net: Model,
	files: LabFiles['data'],
	options: LabOptions = {},
	expected: Published = published,
): Promise<{ sweep: Sweep; comparisons: Comparison[] }> {
	const sets = await openSets(net, files)
	try {
		const { signal, onProgress } = options
		const stages = { activations: 'rank channels', valid: 'valid.h5', test: 'test.h5', poisoned: 'bd_test.h5' }
		const { 'valid.h5': valid, 'test.h5': test, 'bd_test.h5': poisoned, 'bd_valid.h5': poisonedValid } = sets
		const sweep = await prune(net, valid, {
			layer: expected.LAYER,
			drops: expected.DROPS,
			test,
			poisoned,
			signal,
			onProgress: (stage, done, total) => onProgress?.(stages[stage], done, total),
		})
		const again = await countPoisoned(net, sweep.layer, sweep.order, poisonedValid, {
			signal,
			onProgress: (_, done, total) => onProgress?.('bd_valid.h5', done, total),
		})
		return { sweep, comparisons: compare(sweep, again, expected) }
	} finally {
		for (const set of Object.values(sets)) set.close()
	}
}

async function openSets(net: Model, files: LabFiles['data']) {
	const { height, width, channels } = net.input
	const opened: [string, ImageSet][] = []
	for (const name of DATA_FILES)
		opened.push([name, await openImages(files[name], { expected: { height, width, channels } })])
	return Object.fromEntries(opened) as Record<(typeof DATA_FILES)[number], ImageSet>
}

function compare(sweep: Sweep, poisonedValid: PoisonedTally, expected: Published): Comparison[] {
	const rows: Comparison[] = []
	const add = (
		what: string,
		pruned: number,
		measured: number | undefined,
		wanted: number | undefined,
		tolerance = published.TOLERANCE,
	) => {
		if (wanted === undefined) return
		const isWithin = measured !== undefined && Math.abs(measured - wanted) <= tolerance
		rows.push({ what, pruned, measured: measured ?? null, published: wanted, isWithin })
	}
	for (const [pruned] of sweep.steps.entries()) {
		if (pruned > 0) add('channel pruned', pruned, sweep.order[pruned - 1], expected.ORDER[pruned - 1], 0)
		add('valid correct', pruned, sweep.valid.net(pruned).correct, expected.VALID_CORRECT[pruned])
		add('bd_valid hits', pruned, poisonedValid.net(pruned).hits, expected.POISONED_VALID_HITS[pruned])
		add('GoodNet test correct', pruned, sweep.test?.guarded(pruned).correct, expected.GOODNET_TEST_CORRECT[pruned])
		add('GoodNet bd_test hits', pruned, sweep.poisoned?.guarded(pruned).hits, expected.GOODNET_TEST_HITS[pruned])
	}
	for (const [i, drop] of expected.DROPS.entries()) {
		const pruned = sweep.reached.find((each) => each.drop === drop)?.pruned
		const at = expected.PRUNED[i] ?? 0
		add(`channels at ${drop} points`, at, pruned, expected.PRUNED[i], 0)
		if (pruned === undefined) continue
		add(
			`repaired net at ${drop} points, test correct`,
			at,
			sweep.test?.net(pruned).correct,
			expected.REPAIRED_TEST_CORRECT[i],
		)
		add(
			`repaired net at ${drop} points, bd_test hits`,
			at,
			sweep.poisoned?.net(pruned).hits,
			expected.REPAIRED_TEST_HITS[i],
		)
	}
	return rows
}
