/** Every repair by its name. */
import type { RepairMethodName } from '../../../contracts/repair-run.ts'
import { UsageError } from '../../../errors.ts'
import type { RepairMethod } from '../method.ts'
import { anp } from './anp.ts'
import { distillUnlearn } from './distill-unlearn.ts'
import { finePruning } from './fine-pruning.ts'
import { fineTuning } from './fine-tuning.ts'
import { ftSam } from './ft-sam.ts'
import { iBau } from './i-bau.ts'
import { nad } from './nad.ts'
import { prune } from './prune.ts'
import { triggerPruning } from './trigger-pruning.ts'
import { unlearn } from './unlearn.ts'

const METHODS: readonly RepairMethod[] = [
	prune,
	fineTuning,
	finePruning,
	ftSam,
	anp,
	nad,
	iBau,
	unlearn,
	triggerPruning,
	distillUnlearn,
]

export const REPAIR_METHODS: ReadonlyMap<string, RepairMethod> = new Map(METHODS.map((method) => [method.name, method]))

/** What `goodnet repair` does with labelled images unless it is told otherwise: see `docs/results.md`. */
export const DEFAULT_METHOD: RepairMethodName = 'unlearn'

/** And where unlabelled pictures are given. */
export const DEFAULT_UNLABELED_METHOD: RepairMethodName = 'distill-unlearn'

/** @throws UsageError `unknown-method` */
export function methodNamed(name: string): RepairMethod {
	const method = REPAIR_METHODS.get(name)
	if (method) return method
	const known = [...REPAIR_METHODS.keys()].join(', ')
	throw new UsageError('unknown-method', `--method: expected ${known}, found "${name}"`)
}
