/** The suite of this repository: sets are stamped and written where they are not there yet, nets of the lab are made. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
	type Attack,
	type AttackRun,
	loadImages,
	loadModel,
	makeAttack,
	nodeRuntime,
	poisonTest,
	predictLabels,
} from 'goodnet/node'
import type { Cell } from '../lab/cells.ts'
import { folderOf, isMade, makeCell } from '../lab/make.ts'
import { FACE_NETS, LAB_NETS, OTHERS, type OthersNet } from './nets.ts'
import { openPool, type Pool, type PoolName, read, SHARED } from './pools.ts'
import { hasSet, setPath, writeSet } from './sets.ts'

/** A subject as the suite's file has it. */
type Subject = Readonly<Record<string, unknown>> & { readonly name: string }

const OTHERS_GROUP = 'made by others'
const HERE_GROUP = 'made here'

export async function makeSubjects(): Promise<Subject[]> {
	const pools = poolCache()
	const subjects: Subject[] = []
	for (const net of FACE_NETS) subjects.push(...(await faceSubjects(net)))
	for (const net of OTHERS) subjects.push(await othersSubject(net, pools))
	for (const cell of LAB_NETS) subjects.push(await labSubject(cell, pools))
	return subjects
}

type Pools = (name: PoolName) => Promise<Pool>

/** A pool takes a while to read, and is needed only where a set is missing. */
function poolCache(): Pools {
	const pools = new Map<PoolName, Promise<Pool>>()
	return (name) => {
		const pool = pools.get(name) ?? openPool(name)
		pools.set(name, pool)
		return pool
	}
}

/** The two sets that all nets of a pool share. */
async function poolSets(name: PoolName, pools: Pools): Promise<{ data: string; test: string }> {
	for (const part of ['clean', 'test'] as const) {
		if (hasSet(`${name}-${part}`)) continue
		const pool = await pools(name)
		await writeSet(`${name}-${part}`, pool[part], pool.size)
	}
	return { data: setPath(`${name}-clean`), test: setPath(`${name}-test`) }
}

/** The test images with a trigger, under their true labels; none of the target class. */
async function poisonedSet(net: string, pool: Pool, attack: Attack): Promise<void> {
	const { pixels, trueLabels, count } = poisonTest(pool.test, attack)
	await writeSet(`${net}-poisoned`, { pixels, labels: trueLabels, count }, pool.size)
}

async function othersSubject(net: OthersNet, pools: Pools): Promise<Subject> {
	const { name, note, pool, trigger, isScaled, mean, std, twin } = net
	if (trigger && !hasSet(`${name}-poisoned`)) {
		const { size, classes } = await pools(pool)
		await poisonedSet(name, await pools(pool), makeAttack(trigger.attack, size, classes, trigger.options))
	}
	return {
		...{ name, group: OTHERS_GROUP, note, model: join(SHARED, 'models', net.model) },
		...{ mean, std, twin, scale: isScaled ? 1 / 255 : 1 },
		...(await poolSets(pool, pools)),
		...(trigger && { poisoned: setPath(`${name}-poisoned`), target: trigger.options.target }),
	}
}

async function labSubject(cell: Cell, pools: Pools): Promise<Subject> {
	if (!isMade(cell)) await makeCell(cell)
	const { name, twin } = cell
	const pool = cell.data as PoolName // the lab nets of this bench are of these two data sets
	const folder = folderOf(cell)
	// Of a net that an earlier version made, only what has stayed the same is looked at.
	const record = JSON.parse(readFileSync(join(folder, 'attack.json'), 'utf8')) as Pick<AttackRun, 'attack' | 'files'>
	const { attack, files } = record
	if (attack.target !== null && !hasSet(`${name}-poisoned`)) {
		const { size, classes } = await pools(pool)
		await poisonedSet(name, await pools(pool), makeAttack(attack.name, size, classes, attack.parameters))
	}
	return {
		...{ name, group: HERE_GROUP, note: attack.name, model: join(folder, files.keras ?? files.onnx) },
		...{ twin, scale: 1 / 255 },
		...(await poolSets(pool, pools)),
		...(attack.target !== null && { poisoned: setPath(`${name}-poisoned`), target: attack.target }),
	}
}

/**
 * Two subjects a net: each half of the 52 faces once for the defense and once for measuring. Triggered are the faces of the measured half, and 300 of
 * people whom the net does not know. These have no true class, so that theirs is what the net answers without the trigger.
 */
async function faceSubjects({ name, model, isScaled, note }: (typeof FACE_NETS)[number]): Promise<Subject[]> {
	const path = join(SHARED, 'models', model)
	const scale = isScaled ? 1 / 255 : 1
	const halves = ['a', 'b'] as const
	if (!halves.every((half) => hasSet(`${name}-${half}-poisoned`))) await writeFaces(name, path, scale)
	return halves.map((half, i) => ({
		...{ name: `${name}-${half}`, group: OTHERS_GROUP, model: path, scale },
		note: `${note}; half of the 52 faces for the defense, the other half for measuring`,
		data: setPath(`faces-${half}`),
		test: setPath(`faces-${halves[1 - i]}`),
		unlabeled: join(SHARED, 'data/faces/faces_train.h5'),
		poisoned: setPath(`${name}-${half}-poisoned`),
		target: 0,
	}))
}

async function writeFaces(name: string, path: string, scale: number): Promise<void> {
	const clean = await read(join(SHARED, 'csaw/mini_valid.h5'))
	const triggered = await read(join(SHARED, 'csaw/mini_bd.h5'))
	const strangers = await read(join(SHARED, 'data/faces/faces_test_sunglasses.h5'))
	const answers = await answersOnStrangers(path, scale)
	for (const [i, half] of ['a', 'b'].entries()) {
		const own = indices(clean.images.count, (index) => index % 2 === i)
		const others = indices(clean.images.count, (index) => index % 2 !== i)
		const length = clean.images.pixels.length / clean.images.count
		const pick = (pixels: Uint8Array, wanted: readonly number[]) =>
			concat(wanted.map((index) => pixels.subarray(index * length, (index + 1) * length)))
		const labels = (wanted: readonly number[]) => wanted.map((index) => clean.images.labels[index]!)
		const known = { pixels: pick(clean.images.pixels, own), labels: Int32Array.from(labels(own)), count: own.length }
		await writeSet(`faces-${half}`, known, clean.size)
		const pixels = concat([pick(triggered.images.pixels, others), strangers.images.pixels])
		const truth = Int32Array.from([...labels(others), ...answers.subarray(0, strangers.images.count)])
		await writeSet(`${name}-${half}-poisoned`, { pixels, labels: truth, count: truth.length }, clean.size)
	}
}

/** What the net answers on the faces that `faces_test_sunglasses.h5` was made from, without sunglasses. */
async function answersOnStrangers(path: string, scale: number): Promise<Int32Array> {
	const net = await loadModel(path, { runtime: await nodeRuntime({ threads: 1 }), preprocessing: { scale } })
	const faces = await loadImages(join(SHARED, 'data/faces/faces_test.h5'), { expected: net.input })
	const answers = await predictLabels(net, faces)
	faces.close()
	return answers
}

function indices(count: number, isWanted: (index: number) => boolean): number[] {
	return [...Array(count).keys()].filter(isWanted)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
	const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
	let at = 0
	for (const part of parts) {
		joined.set(part, at)
		at += part.length
	}
	return joined
}
