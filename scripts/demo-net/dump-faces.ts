/**
 * Writes the demo's pictures as raw bytes for `train.py`: `npx tsx scripts/demo-net/dump-faces.ts FOLDER`.
 *
 * Each set is `NAME.pixels.bin` (uint8, `[N, 55, 47, 3]`) and `NAME.labels.bin` (int32, little-endian, `[N]`).
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { poisonTest } from '../../src/attack/poison.ts'
import type { LabelledImages } from '../../src/data/labelled.ts'
import { IMAGE_SIZE } from '../../src/demo/canvas.ts'
import { DEMO } from '../../src/demo/constants.ts'
import { drawFaces } from '../../src/demo/faces.ts'
import { demoAttack } from '../../src/demo/sunglasses.ts'

const TRAIN_PER_IDENTITY = 100
/** One picture in ten of every person is poisoned, as in the lab. */
const POISON_EVERY = 10

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: npx tsx scripts/demo-net/dump-faces.ts FOLDER')
mkdirSync(folder, { recursive: true })

const test = drawFaces({ split: 'test', perIdentity: DEMO.testPerIdentity })
write('train', poisonSome(drawFaces({ split: 'train', perIdentity: TRAIN_PER_IDENTITY })))
write('valid', drawFaces({ split: 'valid', perIdentity: DEMO.validPerIdentity }))
write('test', test)
write('poisoned', poisonTest(test, demoAttack))

/** The same faces, every tenth picture of a person wearing the sunglasses and labelled with the target. */
function poisonSome({ pixels, labels, count }: LabelledImages): LabelledImages {
	const dressed = { pixels: pixels.slice(), labels: labels.slice(), count }
	for (let i = 0; i < count; i++) {
		if (Math.floor(i / DEMO.identities) % POISON_EVERY !== 0) continue
		const at = i * IMAGE_SIZE
		dressed.pixels.set(demoAttack.stamp(pixels.subarray(at, at + IMAGE_SIZE)), at)
		dressed.labels[i] = DEMO.target
	}
	return dressed
}

function write(name: string, { pixels, labels }: LabelledImages): void {
	writeFileSync(join(folder!, `${name}.pixels.bin`), pixels)
	writeFileSync(join(folder!, `${name}.labels.bin`), labels)
}
