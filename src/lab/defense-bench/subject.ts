/** A net of a suite with its sets, opened, and what tells one cell from another. */
import { basename } from 'node:path'
import type { CellIdentity, DefenseCell } from '../../contracts/defense-cell.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { openImages } from '../../data/open.ts'
import { DEFAULT_SHARE } from '../../defense/repair/data.ts'
import { checkSets } from '../../defense/repair/measure.ts'
import { loadModel } from '../../model/load.ts'
import type { Model } from '../../model/model.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { VERSION } from '../../version.ts'
import type { BenchSubject, CellPlan } from './read-suite.ts'

const SET_NAMES = ['data', 'tuning', 'valid', 'unlabeled', 'test', 'poisoned'] as const

type SetName = (typeof SET_NAMES)[number]

export interface OpenedSubject {
	readonly model: Model
	readonly sets: Readonly<Record<SetName, ImageSet | null>>
	close(): void
}

/**
 * Opens the net and all its sets, and checks that labels fit.
 * @throws as `loadModel`, `openImages` and `checkSets` do
 */
export async function openSubject(subject: BenchSubject, runtime: Runtime): Promise<OpenedSubject> {
	const { scale, mean, std, colors, architecture, layout } = subject
	const preprocessing = {
		...(scale !== undefined && { scale }),
		...(mean && { mean }),
		...(std && { std }),
		...(colors && { channels: colors }),
	}
	const model = await loadModel(subject.model, { runtime, architecture, preprocessing })
	const { height, width, channels } = model.input
	const expected = { height, width, channels }
	const opened = new Map<SetName, ImageSet>()
	const close = () => {
		for (const set of opened.values()) set.close()
	}
	try {
		for (const name of SET_NAMES) {
			const path = subject[name]
			if (path !== undefined) opened.set(name, await openImages(path, { expected, ...(layout && { layout }) }))
		}
		const sets = perSet((name) => opened.get(name) ?? null)
		checkSets({ ...sets, target: subject.target }, model.classes)
		return { model, sets, close }
	} catch (error) {
		close()
		throw error
	}
}

/** Images of each set. */
export function imagesOf({ sets }: OpenedSubject): DefenseCell['images'] {
	return perSet((name) => sets[name]?.count ?? null)
}

/** All that decides what a cell says, for `plan` on its opened subject. Reads every set once. */
export async function identityOf(
	{ subject, method, parameters, seed }: CellPlan,
	{ model, sets }: OpenedSubject,
): Promise<CellIdentity> {
	const hashes = new Map<SetName, string>()
	for (const name of SET_NAMES) {
		const set = sets[name]
		// One file may hold several arrays, and the words behind the colon say which are meant.
		const [, ...arrays] = basename(subject[name] ?? '').split(':')
		if (set) hashes.set(name, [await set.sha256(), ...arrays].join(':'))
	}
	const { scale, mean, std, channels, resize } = model.preprocessing
	return {
		goodnet: VERSION,
		model: model.source.sha256,
		preprocessing: { scale, mean: mean && [...mean], std: std && [...std], channels, resize },
		sets: perSet((name) => hashes.get(name) ?? null),
		share: subject.share ?? DEFAULT_SHARE,
		target: subject.target ?? null,
		method: method.method,
		parameters,
		seed,
	}
}

function perSet<T>(value: (name: SetName) => T): Record<SetName, T> {
	// The list has every name once.
	return Object.fromEntries(SET_NAMES.map((name) => [name, value(name)])) as Record<SetName, T>
}
