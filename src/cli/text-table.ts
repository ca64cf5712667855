/** Columns of plain text, each as wide as its widest cell. */

/** Cells of a column that all look like numbers are aligned right, others left; the first row is the heading. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
	const count = longest(rows)
	const columns = Array.from({ length: count }, (_, i) => rows.map((row) => row[i] ?? ''))
	const padded = columns.map((cells) => {
		const width = longest(cells)
		const isNumeric = cells.length > 1 && cells.slice(1).every((cell) => /^[\d.,%\s-]*$/.test(cell))
		return cells.map((cell) => (isNumeric ? cell.padStart(width) : cell.padEnd(width)))
	})
	return rows
		.map((_, row) =>
			padded
				.map((cells) => cells[row])
				.join('  ')
				.trimEnd(),
		)
		.join('\n')
}

/** The greatest length. Not `Math.max(...)`: a hundred thousand rows are more arguments than a call may have. */
function longest(items: readonly { readonly length: number }[]): number {
	return items.reduce((most, { length }) => Math.max(most, length), 0)
}
