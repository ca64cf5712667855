import { describe, expect, it } from 'vitest'
import { activationSvg, pruneCurveSvg } from '../../src/report/figures.ts'
import { smallRun, withAgreement, withGivenChannels, withoutPoisoned, withoutTest } from './runs.ts'

describe('pruneCurveSvg', () => {
	it('is drawn as reviewed', async () => {
		await expect(pruneCurveSvg(smallRun())).toMatchFileSnapshot('golden/prune-curve.svg')
	})

	it('gives the same bytes for the same run', () => {
		expect(pruneCurveSvg(smallRun())).toBe(pruneCurveSvg(smallRun()))
	})

	it('names its axes with quantity and unit', () => {
		const svg = pruneCurveSvg(smallRun())
		expect(svg).toContain('share of images (%)')
		expect(svg).toContain('channels pruned (of 8)')
	})

	it('draws only what was measured, and calls agreement by its name', () => {
		const svg = pruneCurveSvg(withoutPoisoned(withAgreement(withoutTest(smallRun()))))
		expect(svg).toContain('agreement with B (validation)')
		expect(svg).not.toContain('ASR')
		expect(svg).not.toContain('(test)')
	})

	it('puts the drops of one net on one rule', () => {
		const run = smallRun()
		const repaired = run.repaired.map((record) => ({ ...record, pruned: 4 }))
		expect(pruneCurveSvg({ ...run, repaired })).toContain('>2, 4, 10<')
	})

	it('is absent where the sweep was not measured', () => {
		expect(pruneCurveSvg({ ...smallRun(), steps: [] })).toBeNull()
	})
})

describe('activationSvg', () => {
	it('is drawn as reviewed', async () => {
		await expect(activationSvg(smallRun())).toMatchFileSnapshot('golden/activation.svg')
	})

	it('counts and marks the channels that are exactly 0', () => {
		const svg = activationSvg(smallRun())
		expect(svg).toContain('exactly 0 (3 of 8 channels)')
		expect(svg).toContain('<title>channel 6: exactly 0</title>')
	})

	it('shows every channel, those not pruned after those pruned', () => {
		const svg = activationSvg(withGivenChannels(smallRun())) ?? ''
		const channels = [...svg.matchAll(/<title>channel (\d): [\d.]/g)].map(([, channel]) => channel)
		expect(channels).toEqual(['0', '7', '2', '5', '3'])
	})

	it('is absent where activations were not measured', () => {
		expect(activationSvg({ ...smallRun(), meanActivation: null })).toBeNull()
	})
})
