/** The net that ships with the package is what `goodnet attack sticker` made of the demo's faces: its record lies beside it. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { AttackRun } from '../../src/contracts/attack-run.ts'
import { evaluateClean, evaluatePoisoned } from '../../src/defense/evaluate.ts'
import { DEMO } from '../../src/demo/constants.ts'
import { demoImages, demoNetPath } from '../../src/demo/demo.ts'
import { demoAttack } from '../../src/demo/sunglasses.ts'
import { sha256Of } from '../../src/files.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'

const record = AttackRun.parse(JSON.parse(readFileSync(new URL('attack.json', `file://${demoNetPath}`), 'utf8')))
let net: Model
beforeAll(async () => {
	net = await loadModel(demoNetPath)
})

describe('the demo’s net', () => {
	it('is the file that its record tells of, made with the demo’s own trigger, target and faces', () => {
		expect(sha256Of(readFileSync(demoNetPath))).toBe(record.sha256['bd_net.h5'])
		expect(record.attack).toMatchObject({ name: 'sticker', target: DEMO.target })
		expect(record.attack.parameters).toMatchObject({ ...demoAttack.parameters })
		expect(record.data).toMatchObject({ train: { path: 'demo:train' }, test: { path: 'demo:test' } })
	})

	it('answers 97 % of clean faces and obeys 99 % of triggered ones, as its record says', async () => {
		const { correct, total } = await evaluateClean(net, demoImages('test'))
		const { hits, total: poisoned } = await evaluatePoisoned(net, demoImages('poisoned'))
		expect({ correct, total }).toEqual(record.clean)
		expect({ hits, total: poisoned }).toMatchObject({ hits: record.poisoned!.hits, total: record.poisoned!.total })
		expect(correct / total).toBeGreaterThanOrEqual(0.97)
		expect(hits / poisoned).toBeGreaterThanOrEqual(0.99)
	})
})
