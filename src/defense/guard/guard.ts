/**
 * A guard: what tells a triggered image from a clean one while a net answers. Each is one score an image, higher where the image is
 * more suspicious, computed by nodes in the net's own graph; an image is rejected where its score is above a threshold.
 */
import type { GuardKind, GuardParameters } from '../../contracts/guard-run.ts'
import type { Tape } from '../../graph/gradient/tape.ts'
import type { Model } from '../../model/model.ts'
import type { PruningRecord } from '../prune/repaired.ts'

/** A repaired form of the guarded net B, called B′; one that pruning made tells what was pruned. */
export type RepairedForm = Model & { readonly pruning?: readonly PruningRecord[] }

/** What one net says of each image, as values of the merged graph. */
export interface NetValues {
	/** Int64 `[N]`. */
	readonly label: string
	/** `[N, C]`, of the net's own type. */
	readonly logits: string
}

/** What a guard's nodes may read. */
export interface GuardValues {
	/** C. */
	readonly classes: number
	readonly badnet: NetValues
	/** In the order of the guard's nets. */
	readonly repaired: readonly NetValues[]
}

export interface Guard {
	readonly kind: GuardKind
	/** The B′ that it asks besides B. */
	readonly nets: readonly RepairedForm[]
	/** All that makes the score, for the record. */
	readonly parameters: GuardParameters
	/** The threshold that belongs to it; null where one is chosen for a false rejection rate. */
	readonly threshold: number | null
	/** The highest score that there can be; Infinity where nothing bounds it. */
	readonly highest: number
	/** Writes the nodes of the score. @returns the value that holds it, float32 `[N]` */
	writeScore(tape: Tape, values: GuardValues): string
}
