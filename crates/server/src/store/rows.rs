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
    let mut sql = String::with_capacity(rows * (columns * 7 + 4));
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        put_list(&mut sql, from + row * columns, columns);
        sql.push(')');
    }
    sql
}

/// `$from, $from+1 …`; for none what equals nothing, because an empty list is no SQL.
pub(super) fn list(from: usize, count: usize) -> String {
    let mut sql = String::with_capacity(count * 7 + 4);
    put_list(&mut sql, from, count);
    sql
}

fn put_list(sql: &mut String, from: usize, count: usize) {
    if count == 0 {
        sql.push_str("NULL");
    }
    for next in from..from + count {
        sql.push_str(if next == from { "$" } else { ", $" });
        // Writing into a string cannot fail.
        let _ = write!(sql, "{next}");
    }
}
