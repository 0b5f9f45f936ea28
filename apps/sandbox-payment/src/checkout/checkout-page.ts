import type { Payment } from '../book/payment.store.js';

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);

const buttons = `<form method="post">
<button name="outcome" value="capture">Pay</button>
<button name="outcome" value="decline">Decline</button>
</form>`;

/** The buyer's page: what is to be paid and two buttons while it can be, else how it stands. Needs no script. */
export function checkoutPage(payment: Payment): string {
  const undecided = payment.state === 'open' && payment.outcome === null;
  const status = payment.state === 'open' ? 'in progress' : payment.state;
  const back = payment.returnUrl ? `<p><a href="${escape(payment.returnUrl)}">Back to the shop</a></p>` : '';
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sandbox payment</title>
<h1>Sandbox payment</h1>
<p>Order ${escape(payment.orderId)}: <strong>${escape(money(payment))}</strong></p>
${undecided ? buttons : `<p>This payment is <strong>${escape(status)}</strong>.</p>${back}`}
</html>
`;
}

function money(payment: Payment): string {
  const { amount, currency } = payment.amount;
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return `${(amount / 10 ** digits).toFixed(digits)} ${currency}`;
}
