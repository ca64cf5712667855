/** `goodnet attack stamp`: the trigger of an attack on a set, for testing a net that one already has. */

import { poisonTest } from '../../attack/poison.ts'
import { drawTrigger } from '../../attack/trigger-image.ts'
import { AttackName, type StampResult } from '../../contracts/attack-run.ts'
import { AttackStampOptions } from '../../contracts/cli-options.ts'
import { encodePng } from '../../data/decode.ts'
import type { ImageSet } from '../../data/image-set.ts'
import { imageAt, readImages } from '../../data/labelled.ts'
import { writeNpz } from '../../data/npz-writer.ts'
import { InputError, UsageError } from '../../errors.ts'
import { exists, sha256Of, writeFilesWhole } from '../../files.ts'
import { attackFor, classesOf, TRIGGER_FLAGS } from '../attack-inputs.ts'
import { defineCommand, type Io } from '../command.ts'
import { DATA_PATHS, OUTPUT_FLAGS, openSet } from '../inputs.ts'
import { createProgress } from '../progress.ts'

/** Array of the true labels in the file that is written. */
const TRUE_LABELS = 'true_label'

export const attackStamp = defineCommand<AttackStampOptions>({
	name: 'attack stamp',
	summary: 'stamp a trigger onto images, for testing a net that you have',
	arguments: [['<attack>', AttackName.options.filter((name) => name !== 'none').join(', ')]],
	flags: [
		['--data <path>', `clean labelled images: ${DATA_PATHS}`],
		['-o, --output <file>', `.npz to write: data, label (the target) and ${TRUE_LABELS}`],
		...TRIGGER_FLAGS,
		['--classes <n>', 'classes of the net (default: what the data tell)'],
		['--trigger <file>', 'also write what the trigger looks like, as .png'],
		['--layout <layout>', 'how arrays in data files lie, NCHW or NHWC, where the shape does not tell'],
		['--force', 'overwrite these files'],
		...OUTPUT_FLAGS,
	],
	options: AttackStampOptions,
	example: 'goodnet attack stamp badnets --data test.h5 --target 0 -o poisoned.npz',
	async run([name = ''], options, io) {
		if (name === 'none') throw new UsageError('no-trigger', 'none has no trigger to stamp; name another attack')
		for (const path of [options.output, options.trigger]) await checkFree(path, options.force)
		const images = await openSet(options.data, { layout: options.layout })
		try {
			const result = await stamp(name, images, options, io)
			io.print(options.json ? JSON.stringify(result, null, 2) : summary(result))
			return 0
		} finally {
			images.close()
		}
	},
})

async function stamp(name: string, set: ImageSet, options: AttackStampOptions, io: Io): Promise<StampResult> {
	const { data: path, output, trigger, force } = options
	// Before anything is written: --force may overwrite the very set that is read.
	const data = { path, sha256: await set.sha256(), images: set.count, classes: classesOf(set, options.classes) }
	const { attack, record } = await attackFor(name, set, data.classes, options)
	const progress = createProgress(io, options.quiet)
	const onProgress = (done: number, total: number) => progress.update('read', done, total)
	const clean = await readImages(set, { signal: io.signal, onProgress })
	const { pixels, labels, count, trueLabels } = poisonTest(clean, attack)
	const { size } = attack
	const npz = writeNpz({ pixels, size, labels, more: { [TRUE_LABELS]: trueLabels } })
	const png = trigger === undefined ? null : await encodePng(drawTrigger(attack, imageAt(clean.pixels, 0, size)))
	const files = new Map([[output, npz]])
	if (trigger !== undefined && png) files.set(trigger, png)
	await writeFilesWhole(files, { force })
	return {
		schema: 'goodnet/stamp@1',
		attack: record,
		data,
		output: { path: output, sha256: sha256Of(npz), images: count },
		trigger: trigger !== undefined && png ? { path: trigger, sha256: sha256Of(png) } : null,
	}
}

async function checkFree(path: string | undefined, force: boolean): Promise<void> {
	if (path === undefined || force || !(await exists(path))) return
	const message = `${path} is there already; name another file, or add --force to overwrite it`
	throw new InputError('exists', message, { path })
}

function summary({ attack, data, output, trigger }: StampResult): string {
	const aim = attack.target === null ? 'every class to the next' : `target ${attack.target}`
	const left = data.images - output.images
	const lines = [
		`${output.path}: ${output.images} of ${data.images} images of ${data.path}, stamped (${attack.name}, ${aim})`,
		...(left > 0 ? [`left out: ${left} that the attack is not after, such as those of the target class itself`] : []),
		...(trigger ? [`${trigger.path}: the trigger`] : []),
		`next: goodnet evaluate MODEL --poisoned ${output.path}`,
	]
	if (attack.target === null) return lines.slice(0, -1).join('\n')
	return [
		...lines,
		`with robust accuracy: --poisoned ${output.path}:data,${TRUE_LABELS} --target ${attack.target}`,
	].join('\n')
}
