/** A backdoored net that trains in seconds, with clean and poisoned images of its own. */
import { makeAttack } from '../../../src/attack/make-attack.ts'
import { poisonTest } from '../../../src/attack/poison.ts'
import type { ImageSet } from '../../../src/data/image-set.ts'
import type { LabelledImages } from '../../../src/data/labelled.ts'
import { imageSet, trainSubject } from '../../../src/lab/subject.ts'
import { CLASSES, SIZE, stripes } from '../../helpers/pictures.ts'
import { planOf } from '../../lab/subjects.ts'

export const TARGET = 2
const attack = makeAttack('badnets', SIZE, CLASSES, { target: TARGET, size: 5 })

/** Striped pictures with the attack's patch on them, with their true labels. */
export function triggered(images: LabelledImages): ImageSet {
	const { pixels, trueLabels, count } = poisonTest(images, attack)
	return imageSet('poisoned', { pixels, labels: trueLabels, count }, SIZE)
}

/** Striped pictures that the net never saw. */
export function clean(perClass: number, seed: number): ImageSet {
	return imageSet('clean', stripes(perClass, seed), SIZE)
}

/** The net, anew each time. */
export async function trainBadNet() {
	const recipe = { ...planOf('none').recipe, epochs: 9 }
	const { model } = await trainSubject(planOf('badnets', { target: TARGET, size: 5 }, { rate: 0.2, recipe }))
	return model
}
