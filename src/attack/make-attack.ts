/** The table from an attack's name to what makes it. */
import { AttackName } from '../contracts/attack-run.ts'
import type { ImageSize } from '../data/image-set.ts'
import { InputError, UsageError } from '../errors.ts'
import type { Attack } from './attack.ts'
import { adaptiveBlend } from './attacks/adaptive-blend.ts'
import { allToAll } from './attacks/all-to-all.ts'
import { badnets } from './attacks/badnets.ts'
import { blended } from './attacks/blended.ts'
import { bpp } from './attacks/bpp.ts'
import { lowFrequency } from './attacks/low-frequency.ts'
import { none } from './attacks/none.ts'
import { pruningAware } from './attacks/pruning-aware.ts'
import { sig } from './attacks/sig.ts'
import { sticker } from './attacks/sticker.ts'
import { tact } from './attacks/tact.ts'
import { wanet } from './attacks/wanet.ts'
import { type AttackOptions, type AttackSubject, flagOf, type OptionName } from './options.ts'
import { PATCH_OPTIONS, STICKER_OPTIONS } from './patch.ts'

interface AttackEntry {
	readonly make: (subject: AttackSubject, options: AttackOptions) => Attack
	/** The options that it takes. Others are refused: a flag without effect is a mistake. */
	readonly takes: readonly OptionName[]
}

const PATCH_OR_STICKER: readonly OptionName[] = [...PATCH_OPTIONS, ...STICKER_OPTIONS]

const ATTACKS: Readonly<Record<AttackName, AttackEntry>> = {
	none: { make: none, takes: [] },
	badnets: { make: badnets, takes: ['target', ...PATCH_OPTIONS] },
	sticker: { make: sticker, takes: ['target', ...STICKER_OPTIONS] },
	blended: { make: blended, takes: ['target', 'picture', 'triggerSeed', 'opacity'] },
	sig: { make: sig, takes: ['target', 'amplitude', 'frequency', 'dirtyLabel'] },
	wanet: { make: wanet, takes: ['target', 'grid', 'strength', 'coverRatio', 'triggerSeed'] },
	'low-frequency': { make: lowFrequency, takes: ['target', 'amplitude', 'cutoff', 'triggerSeed'] },
	bpp: { make: bpp, takes: ['target', 'bits', 'dithering', 'coverRatio'] },
	'all-to-all': { make: allToAll, takes: ['target', ...PATCH_OR_STICKER] },
	tact: { make: tact, takes: ['target', 'sources', 'coverClasses', 'coverRatio', ...PATCH_OR_STICKER] },
	'adaptive-blend': {
		make: adaptiveBlend,
		takes: ['target', 'picture', 'triggerSeed', 'opacity', 'trainingOpacity', 'pieces', 'shownPieces', 'coverRatio'],
	},
	'pruning-aware': { make: pruningAware, takes: ['target', ...PATCH_OR_STICKER] },
}

/** Every option that some attack takes. */
export const OPTION_NAMES: ReadonlySet<string> = new Set(Object.values(ATTACKS).flatMap(({ takes }) => takes))

/**
 * The attack `name` on images of `size` in `classes` classes.
 *
 * @param options of those that the attack takes; see its maker in `attacks/` for their defaults
 * @throws UsageError `unknown-attack`, `bad-option` (out of range, or not an option of this attack), `no-target`, `no-trigger`
 * @throws InputError `bad-target`, `bad-class`, `too-few-classes`, `trigger-too-large`, `unsupported-channels`
 */
export function makeAttack(name: string, size: ImageSize, classes: number, options: AttackOptions = {}): Attack {
	const { data: known } = AttackName.safeParse(name)
	if (!known) {
		throw new UsageError('unknown-attack', `expected an attack (${AttackName.options.join(', ')}), found "${name}"`)
	}
	const { make, takes } = ATTACKS[known]
	checkSubject(size, classes)
	checkTaken(known, takes, options)
	return make({ size, classes }, options)
}

function checkSubject({ channels }: ImageSize, classes: number): void {
	if (channels !== 1 && channels !== 3) {
		const message = `expected grey images or RGB ones (1 or 3 channels), found ${channels} channels`
		throw new InputError('unsupported-channels', message)
	}
	if (!Number.isInteger(classes) || classes < 2) {
		throw new InputError('too-few-classes', `an attack wants at least 2 classes, found ${classes}`)
	}
}

function checkTaken(name: string, takes: readonly OptionName[], options: AttackOptions): void {
	// The keys of an options object are option names.
	const given = (Object.keys(options) as OptionName[]).filter((option) => options[option] !== undefined)
	const foreign = given.find((option) => !takes.includes(option))
	if (foreign === undefined) return
	const known = takes.length === 0 ? 'no options' : takes.map(flagOf).join(', ')
	throw new UsageError('bad-option', `${flagOf(foreign)}: ${name} takes ${known}; leave it out`)
}
