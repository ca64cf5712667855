/** From inputs to guards: what each kind needs, and what is said where it is not there. */
import type { GuardOptions } from '../contracts/cli-options.ts'
import { GuardKind, type GuardRun } from '../contracts/guard-run.ts'
import type { ImageSet } from '../data/image-set.ts'
import { disagreement, plainGoodNet } from '../defense/guard/disagreement.ts'
import { flipDepth } from '../defense/guard/flip-depth.ts'
import type { Guard } from '../defense/guard/guard.ts'
import { logit } from '../defense/guard/logit.ts'
import { quarantine } from '../defense/guard/quarantine.ts'
import { quorum } from '../defense/guard/quorum.ts'
import { chooseLayer } from '../defense/prune/layer.ts'
import { orderChannels } from '../defense/prune/rank/order.ts'
import { layerFor, rankLayer } from '../defense/prune/rank/rank-layer.ts'
import { UnsupportedError, UsageError } from '../errors.ts'
import type { Model } from '../model/model.ts'
import type { RunOptions } from '../model/predict.ts'

/** What guards are made of. */
export interface GuardInputs {
	readonly model: Model
	readonly repaired: readonly Model[]
	readonly valid: ImageSet
	readonly options: Pick<
		GuardOptions,
		'kind' | 'layer' | 'order' | 'rank' | 'checkpoints' | 'flips' | 'quarantine' | 'quorum' | 'seed'
	>
	/** Channel numbers as `--order` names them. */
	readonly order: readonly number[] | undefined
}

interface Maker {
	/** The inputs it needs, in words, where they are not there; null where they are. */
	missing(inputs: Pick<GuardInputs, 'options'> & { readonly repaired: readonly unknown[] }): string | null
	make(inputs: GuardInputs, run: RunOptions): Guard | Promise<Guard>
}

const needsRepaired = (least: number, words: string): Maker['missing'] => {
	return ({ repaired }) => (repaired.length < least ? words : null)
}
const needsOne = needsRepaired(1, 'it needs a repaired net, --repaired FILE')
const needsNothing = () => null

const MAKERS: Readonly<Record<GuardKind, Maker>> = {
	goodnet: { missing: needsOne, make: ({ repaired: [first] }) => plainGoodNet(first!) }, // one at least
	disagreement: { missing: needsOne, make: ({ repaired: [first] }) => disagreement(first!) }, // one at least
	quorum: {
		missing: needsRepaired(2, 'it needs two repaired nets or more, --repaired FILE FILE'),
		make: ({ repaired, options }) => quorum(repaired, options.quorum),
	},
	'flip-depth': { missing: needsNothing, make: makeFlipDepth },
	logit: { missing: needsNothing, make: ({ model, valid }, run) => logit('logit', model, valid, run) },
	margin: { missing: needsNothing, make: ({ model, valid }, run) => logit('margin', model, valid, run) },
	quarantine: {
		missing: ({ options }) => (options.quarantine ? null : 'it needs labels, --quarantine LIST'),
		make: ({ model, options }) => quarantine(model, options.quarantine ?? []),
	},
}

async function makeFlipDepth({ model, valid, order, options }: GuardInputs, run: RunOptions): Promise<Guard> {
	const { rank = 'mean', layer: name, checkpoints, flips: suspect, seed } = options
	const chosen = chooseLayer(model, name)
	if (order) return flipDepth(model, chosen, order, { checkpoints, suspect })
	const layer = layerFor(model, chosen, rank)
	const { scores, first } = await rankLayer(model, layer, rank, valid, { ...run, seed })
	return flipDepth(model, layer, orderChannels(scores, first), { checkpoints, suspect })
}

/** The flags of each kind that has some of its own. */
const OWN_FLAGS = {
	'flip-depth': ['layer', 'order', 'rank', 'checkpoints', 'flips', 'seed'],
	quorum: ['quorum'],
	quarantine: ['quarantine'],
} as const

/** A flag without effect is a mistake, and so is a kind without its inputs. @throws UsageError `missing-input`, `conflicting-options` */
export function checkGuardUsage(options: GuardOptions): void {
	for (const kind of options.kind ?? []) {
		const missing = MAKERS[kind].missing({ options, repaired: options.repaired })
		if (missing !== null) throw new UsageError('missing-input', `--kind ${kind}: ${missing}`)
	}
	for (const [kind, flags] of Object.entries(OWN_FLAGS)) {
		const told = flags.find((flag) => options[flag] !== undefined)
		if (told === undefined || !options.kind || options.kind.some((each) => each === kind)) continue
		throw new UsageError('conflicting-options', `--${told} belongs to ${kind}, which --kind leaves out`)
	}
	if (options.quorum !== undefined) {
		const missing = MAKERS.quorum.missing({ options, repaired: options.repaired })
		if (missing !== null) throw new UsageError('missing-input', `--quorum: ${missing}`)
	}
	if (options.order !== undefined && options.rank !== undefined) {
		throw new UsageError('conflicting-options', '--order leaves nothing to rank; it does not go with --rank')
	}
	if (options.seed !== undefined && options.rank !== 'random') {
		throw new UsageError('conflicting-options', '--seed belongs to --rank random')
	}
}

export interface MadeGuards {
	readonly guards: readonly Guard[]
	readonly notMade: GuardRun['notMade']
}

/**
 * The guards asked for; or, where none was named, all that the inputs allow, with the reason for each of the others.
 * @throws as the makers do, for what was asked for by name
 */
export async function makeGuards(inputs: GuardInputs, run: RunOptions): Promise<MadeGuards> {
	const guards: Guard[] = []
	const notMade: GuardRun['notMade'] = []
	for (const kind of new Set(inputs.options.kind ?? GuardKind.options)) {
		const missing = MAKERS[kind].missing(inputs)
		const made = missing ?? (await makeOrReason(kind, inputs, run))
		if (typeof made === 'string') notMade.push({ kind, reason: made })
		else guards.push(made)
	}
	return { guards, notMade }
}

/** Nobody asked for it by name: that the net is not made for it is no error then. */
async function makeOrReason(kind: GuardKind, inputs: GuardInputs, run: RunOptions): Promise<Guard | string> {
	try {
		return await MAKERS[kind].make(inputs, run)
	} catch (error) {
		const { options } = inputs
		const isAskedFor = options.kind !== undefined || OWN_FLAGS['flip-depth'].some((flag) => options[flag] !== undefined)
		if (error instanceof UnsupportedError && !isAskedFor) return error.message
		throw error
	}
}
