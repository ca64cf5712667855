/** Scores of channels by any ranking, over one layer or many. */
import type { RankName } from '../../../contracts/prune-run.ts'
import type { ImageSet } from '../../../data/image-set.ts'
import { UnsupportedError } from '../../../errors.ts'
import { extract } from '../../../graph/edit.ts'
import type { Value } from '../../../graph/graph.ts'
import type { Model } from '../../../model/model.ts'
import { batchSizeFor, type RunOptions, runImages } from '../../../model/predict.ts'
import { type Checkpoints, type Resumable, resumeStage } from '../checkpoints.ts'
import type { PruneLayer } from '../layer.ts'
import { randomScores } from './random.ts'
import type { Probe } from './ranking.ts'
import { RANKINGS } from './rankings.ts'

/** The stage's name in a journal. */
const STAGE = 'scores'
/** What the probed values of a batch may take together, 64 MiB as for the widest layer of a prediction. */
const MAX_PROBE_BYTES = 2 ** 26

export interface ScoreOptions extends RunOptions {
	readonly checkpoints?: Checkpoints | undefined
	/** Of `random`. Default 0. */
	readonly seed?: number | undefined
}

/**
 * The score of each channel, by layer and channel number.
 *
 * @param valid clean images, for the rankings that look at some
 * @throws UnsupportedError `rank-does-not-apply` for a layer that lacks what the ranking looks at
 * @throws TypeError where the ranking needs images and there are none: the caller asks `RANKINGS[rank].needs` first
 */
export async function scoreLayers(
	rank: RankName,
	model: Model,
	layers: readonly PruneLayer[],
	valid: ImageSet | null,
	{ seed = 0, ...options }: ScoreOptions = {},
): Promise<number[][]> {
	const ranking = RANKINGS[rank]
	switch (ranking.needs) {
		case 'weights':
			return layers.map((layer) => ranking.score(model, layer))
		case 'images':
			if (!valid) throw new TypeError(`${rank} needs images`)
			return collect(
				model,
				layers.map((layer) => ranking.probe(model, layer)),
				valid,
				options,
			)
		case 'seed': {
			const total = layers.reduce((sum, { channels }) => sum + channels, 0)
			return splitByLayer(randomScores(total, seed), layers)
		}
	}
}

/** One list for each layer, from one over all their channels. */
export function splitByLayer<T>(list: readonly T[], layers: readonly Pick<PruneLayer, 'channels'>[]): T[][] {
	let begin = 0
	return layers.map(({ channels }) => {
		begin += channels
		return list.slice(begin - channels, begin)
	})
}

/** Runs the net as far as the probes need it, once over all images. */
async function collect(
	model: Model,
	probes: readonly Probe[],
	images: ImageSet,
	{ signal, onProgress, checkpoints }: ScoreOptions,
): Promise<number[][]> {
	const values = [...new Set(probes.map(({ value }) => value))].map((name) => model.values.get(name)!)
	for (const { name, dtype } of values) {
		if (dtype === 'float32') continue
		const message = `${model.source.path}: ${name} is ${dtype}; expected float32 to rank by; save the model in float32, or name another layer`
		throw new UnsupportedError('not-float32', message, { path: model.source.path, layer: name })
	}
	const session = await model.runtime.load(extract(model.graph, values))
	try {
		const size = batchSize(model, values)
		const all = together(probes.map(({ statistic }) => statistic))
		const from = resumeStage(checkpoints, STAGE, all)
		for await (const { start, count, results } of runImages(session, model, images, { signal, size, from })) {
			for (const { value, statistic } of probes) {
				statistic.add(results[value]!.data as Float32Array, count) // float32: checked above
			}
			const done = start + count
			await checkpoints?.save(STAGE, { done, total: images.count }, () => all.state())
			onProgress?.(done, images.count)
		}
		return probes.map(({ statistic }) => statistic.result())
	} finally {
		await session.close()
	}
}

/** Several collectors as one, their states one behind the other. */
function together(collectors: readonly Resumable[]): Resumable {
	return {
		state: () => collectors.flatMap((each) => each.state()),
		restore(state) {
			let begin = 0
			for (const each of collectors) {
				const { length } = each.state()
				each.restore(state.slice(begin, begin + length))
				begin += length
			}
		},
	}
}

/** Images a run, by what all probed values take together. A fixed batch is run as it is. */
function batchSize(model: Model, values: readonly Value[]): number {
	const { batch } = model.input
	if (batch !== null) return batch
	const numbers = values.map(({ shape }) => shape!.slice(1).reduce<number>((a, b) => a * Number(b), 1))
	const bytes = Float32Array.BYTES_PER_ELEMENT * numbers.reduce((a, b) => a + b, 0)
	return Math.max(1, Math.min(batchSizeFor(model), Math.floor(MAX_PROBE_BYTES / bytes)))
}
