/** A repair from end to end: run the method on clean data, then measure what it did on everything there is to measure on. */
import type { NetCounts, RepairedNetRecord, RepairFindings } from '../../contracts/repair-run.ts'
import type { Model } from '../../model/model.ts'
import type { PoisonedLabels } from '../labels.ts'
import { answersOf, checkSets, countGoodNet, countNet, type MeasuredSets } from './measure.ts'
import type { RepairContext, RepairData, RepairedPoint, RepairMethod } from './method.ts'
import { type ParameterValue, parameterValues } from './parameters.ts'

export interface RepairOptions extends Omit<RepairContext, 'parameters'> {
	/** Parameters that shall not have their default, by name. */
	readonly parameters?: Readonly<Record<string, ParameterValue>>
	/** What is measured before and after; the method never sees `test` and `poisoned`. */
	readonly sets: MeasuredSets
}

/** A repaired net and what was measured of it. */
export interface MeasuredPoint extends Pick<RepairedNetRecord, 'after' | 'goodnet'> {
	readonly point: RepairedPoint
}

export interface RepairResult {
	/** All that decided the repair, defaults included. */
	readonly parameters: Readonly<Record<string, ParameterValue>>
	readonly before: NetCounts
	readonly repaired: readonly MeasuredPoint[]
	readonly findings: RepairFindings
	/** Was the method told something about the trigger or its label? */
	readonly isOracle: boolean
	/** What the labels of the poisoned set were taken for. */
	readonly poison: PoisonedLabels | null
}

/**
 * Repairs `model` by `method`.
 *
 * @throws UsageError `unknown-parameter`, `bad-parameter`; UnsupportedError `not-applicable`; InputError `diverged`, and for data that does not fit;
 *   InterruptedError
 */
export async function repairModel(
	model: Model,
	method: RepairMethod,
	data: RepairData,
	{ parameters: told = {}, sets, ...context }: RepairOptions,
): Promise<RepairResult> {
	const parameters = parameterValues(method.parameters, told, method.name)
	// What is wrong with the sets is said before hours of training.
	const poison = checkSets(sets, model.classes)
	const { points, findings } = await method.repair(model, data, { ...context, parameters })
	const measure = (net: Model, name: string) =>
		answersOf(net, sets, {
			signal: context.signal,
			onProgress: (done, total) => context.onProgress?.(`measure ${name}`, done, total),
		})
	const badnet = await measure(model, 'B')
	const repaired: MeasuredPoint[] = []
	for (const point of points) {
		const own = await measure(point.model, 'the repaired net')
		const after = countNet(sets, poison, own, badnet)
		repaired.push({ point, after, goodnet: countGoodNet(sets, poison, own, badnet) })
	}
	const isOracle = method.isOracle?.(parameters) ?? false
	return { parameters, before: countNet(sets, poison, badnet, badnet), repaired, findings, isOracle, poison }
}
