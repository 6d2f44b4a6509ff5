//! SQL for many rows in one statement, as text that is the same for the same number of rows.

use std::fmt::Write as _;

/// `(fixed, $from, $from+1 …), (…)`: so many rows of so many columns after the fixed ones.
pub(super) fn values(fixed: &str, from: usize, columns: usize, rows: usize) -> String {
    let mut sql = String::with_capacity(rows * (fixed.len() + columns * 7 + 4));
    let mut next = from;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        sql.push_str(fixed);
        for _ in 0..columns {
            // Writing into a string cannot fail.
            let _ = write!(sql, ", ${next}");
            next += 1;
        }
        sql.push(')');
    }
    sql
}

/// `($from, $from+1 …), (…)`: a table of so many rows and columns.
pub(super) fn tuples(from: usize, columns: usize, rows: usize) -> String {
    let rows: Vec<String> = (0..rows)
        .map(|row| format!("({})", list(from + row * columns, columns)))
        .collect();
    rows.join(", ")
}

/// `$from, $from+1 …`; for none what equals nothing, because an empty list is no SQL.
pub(super) fn list(from: usize, count: usize) -> String {
    if count == 0 {
        return "NULL".to_owned();
    }
    let mut sql = String::with_capacity(count * 6);
    for (index, next) in (from..from + count).enumerate() {
        // Writing into a string cannot fail.
        let _ = write!(sql, "{}${next}", if index == 0 { "" } else { ", " });
    }
    sql
}
