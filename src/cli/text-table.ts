/** Columns of plain text, each as wide as its widest cell. */

/** Cells of a column that all look like numbers are aligned right, others left; the first row is the heading. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
	const count = Math.max(...rows.map((row) => row.length))
	const columns = Array.from({ length: count }, (_, i) => rows.map((row) => row[i] ?? ''))
	const padded = columns.map((cells) => {
		const width = Math.max(...cells.map((cell) => cell.length))
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
