/** What `goodnet attack` was told of a run beside the trigger: a flag that would have no effect is a mistake, and said to be one. */
import type { AttackOptions } from '../contracts/cli-options.ts'
import { UsageError } from '../errors.ts'
import { DEFAULT_PRUNING_AWARE, type PruningAwareOptions } from '../lab/pruning-aware.ts'

/** Points that are poisoned unless something else is asked for. */
const DEFAULT_RATE = 10

/** Points of the training images to poison. @throws UsageError `bad-option` for a clean twin */
export function rateOf(name: string, { rate }: AttackOptions): number {
	if (name !== 'none' || rate === undefined) return rate ?? DEFAULT_RATE
	throw new UsageError('bad-option', '--rate: none poisons nothing; leave it out')
}

/** @throws UsageError `bad-option` for a flag that belongs to another optimizer, or to a run without a test set */
export function checkEffects({ optimizer, momentum, nesterov, holdout, test }: AttackOptions): void {
	const ofSgd = momentum !== undefined ? '--momentum' : nesterov ? '--nesterov' : null
	if (ofSgd !== null && optimizer !== 'sgd') {
		throw new UsageError('bad-option', `${ofSgd}: it belongs to --optimizer sgd, found ${optimizer}; leave it out`)
	}
	if (holdout !== undefined && test !== undefined) {
		throw new UsageError('bad-option', '--holdout: with --test nothing is held out; leave one of them out')
	}
}

/** How the pruning-aware attack prunes. @throws UsageError `bad-option` with another attack */
export function pruningAwareOf(name: string, { layer, pruneDrop }: AttackOptions): PruningAwareOptions {
	const told = layer !== undefined ? '--layer' : pruneDrop !== undefined ? '--prune-drop' : null
	if (told !== null && name !== 'pruning-aware') {
		throw new UsageError('bad-option', `${told}: only the attack pruning-aware prunes while it trains; leave it out`)
	}
	return { layer, pruneDrop: pruneDrop ?? DEFAULT_PRUNING_AWARE.pruneDrop }
}
