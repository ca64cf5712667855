import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import type { PruneRun } from '../../src/contracts/prune-run.ts'
import { reportHtml } from '../../src/report/html.ts'
import { verdictParts } from '../../src/report/verdict.ts'
import { describeShared } from '../helpers/shared.ts'
import { publishedRun } from './published-run.ts'
import { smallRun, withAgreement, withGivenChannels, withoutPoisoned, withoutTest } from './runs.ts'

const EVIL = '<script>alert(1)</script>"\'&<img src=x onerror=alert(2)>'

/** A run in which every text that a file or a user supplies is hostile. */
function hostileRun(): PruneRun {
	const run = smallRun()
	const { valid, test, poisoned } = run.data
	return {
		...run,
		command: `goodnet prune ${EVIL}`,
		model: { ...run.model, path: `${EVIL}.h5`, sha256: EVIL, layer: EVIL, producer: EVIL },
		data: {
			valid: valid && { ...valid, path: EVIL },
			test: test && { ...test, path: EVIL },
			poisoned: poisoned && { ...poisoned, path: EVIL },
		},
		repaired: run.repaired.map((record) => ({
			...record,
			files: { source: EVIL, onnx: EVIL, goodnet: EVIL },
			sha256: { [EVIL]: EVIL },
		})),
		environment: { ...run.environment, device: EVIL, goodnet: EVIL },
	}
}

/** The run when all that is known is which channels were given. */
function blindRun(): PruneRun {
	const run = withoutPoisoned(withoutTest(withGivenChannels(smallRun())))
	return {
		...run,
		data: { valid: null, test: null, poisoned: null },
		meanActivation: null,
		steps: [],
		repaired: run.repaired.map((record) => ({
			...record,
			files: null,
			valid: null,
			goodnet: { valid: null, test: null, poisoned: null },
		})),
	}
}

const RUNS: [string, PruneRun][] = [
	['all measured', smallRun()],
	['no poisoned set', withoutPoisoned(smallRun())],
	['agreement with B', withAgreement(withoutTest(smallRun()))],
	['channels given by hand', withGivenChannels(smallRun())],
	['no drop reached', { ...smallRun(), repaired: [] }],
	['nothing measured', blindRun()],
	['hostile names', hostileRun()],
]

describe.each(RUNS)('reportHtml: %s', (_, run) => {
	const html = reportHtml(run)
	const { document } = parseHTML(html)

	it('gives the same bytes for the same run', () => {
		expect(reportHtml(structuredClone(run))).toBe(html)
	})

	it('needs no network and runs no script', () => {
		expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:\/\/|url\(|@import/)
		expect(document.querySelectorAll('script, link, img, iframe, object, embed, [src], [href]')).toHaveLength(0)
		const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content')
		expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'")
	})

	it('opens with the verdict', () => {
		expect(document.querySelector('main > section')?.textContent).toContain(verdictParts(run).finding)
	})

	it('can be read aloud: language, one h1, scoped headers, named figures', () => {
		expect(document.documentElement.getAttribute('lang')).toBe('en')
		expect(document.querySelectorAll('h1')).toHaveLength(1)
		expect([...document.querySelectorAll('th')].filter((cell) => !cell.getAttribute('scope'))).toEqual([])
		const figures = [...document.querySelectorAll('figure > svg')]
		expect(figures.every((svg) => svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label'))).toBe(true)
	})

	it('leaves no value unfilled', () => {
		expect(document.querySelector('main')?.textContent).not.toMatch(/undefined|NaN|null|\[object/)
	})
})

describe('reportHtml', () => {
	const html = reportHtml(hostileRun())

	it('escapes everything that comes from files', () => {
		expect(html).not.toMatch(/<script|<img/)
		expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
	})

	it('shows a hostile path as the text that it is', () => {
		expect(parseHTML(html).document.querySelector('.facts code')?.textContent).toBe(`${EVIL}.h5`)
	})

	it('adapts to dark screens and to paper', () => {
		expect(html).toContain('@media (prefers-color-scheme: dark)')
		expect(html).toContain('@media print')
	})

	it('lists every file with its hash', () => {
		const run = smallRun()
		const page = reportHtml(run)
		for (const { sha256 } of run.repaired) {
			for (const [file, hash] of Object.entries(sha256)) {
				expect(page).toContain(file)
				expect(page).toContain(hash)
			}
		}
		expect(page).toContain(run.model.sha256)
		expect(page).toContain(run.data.test?.sha256)
	})

	it('leaves out the file that a mask cannot be written to', () => {
		const run = smallRun()
		const repaired = run.repaired.map((record) => ({
			...record,
			files: record.files && { ...record.files, source: null },
		}))
		const { document } = parseHTML(reportHtml({ ...run, repaired }))
		const names = [...document.querySelectorAll('.facts th')].map((cell) => cell.textContent)
		expect(names).toContain('repaired net as ONNX, drop 2')
		expect(names).not.toContain('repaired net, drop 2')
	})

	it('keeps the styles of its two figures apart by class', () => {
		const { document } = parseHTML(reportHtml(smallRun()))
		expect([...document.querySelectorAll('figure > svg')].map((svg) => svg.getAttribute('class'))).toEqual([
			'prune-curve',
			'activation',
		])
	})
})

describeShared('reportHtml of the published lab run', () => {
	it('shows ASR before and after at the 30-point drop', () => {
		const { document } = parseHTML(reportHtml(publishedRun([2, 4, 10, 30])))
		const tiles = [...document.querySelectorAll('.tile')].map((tile) => tile.textContent?.replace(/\s+/g, ' '))
		expect(tiles[1]).toContain('100 → 6.96 %')
	})
})
