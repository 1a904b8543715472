"""The library's formulas a second time, in NumPy and SciPy only and as the papers print them: nothing here is fast."""

import numpy as np
from scipy import special, stats


def kl_normal(mean_q, var_q, mean_p=0.0, var_p=1.0):
    """KL(q || p) of diagonal normals by variances, over the event: (batch,). Kingma & Welling 2014, appendix B."""
    mean_q, var_q, mean_p, var_p = np.broadcast_arrays(
        *(np.asarray(a, "float64") for a in (mean_q, var_q, mean_p, var_p))
    )
    terms = np.log(np.sqrt(var_p) / np.sqrt(var_q)) + (var_q + (mean_q - mean_p) ** 2) / (2 * var_p) - 0.5
    return terms.reshape(len(terms), -1).sum(axis=1)


def normal_log_prob(x, mean, stddev):
    """log N(x; mean, stddev^2), summed over the event: (batch,)."""
    terms = stats.norm.logpdf(np.asarray(x, "float64"), mean, stddev)
    return terms.reshape(len(terms), -1).sum(axis=1)


def mixture_log_prob(x, weights, means, covariances):
    """log sum_k w_k N(x; mean_k, covariance_k), covariances in full: (batch,). Bishop 2006, eq. 9.7."""
    x = np.asarray(x, "float64").reshape(len(x), -1)
    parts = zip(weights, means, covariances, strict=True)
    each = [np.log(w) + stats.multivariate_normal.logpdf(x, np.ravel(m), c) for w, m, c in parts]
    return special.logsumexp(each, axis=0)


def bernoulli_log_prob(x, logits):
    """x log p + (1 - x) log(1 - p) with p = sigmoid(logits), summed over the event: (batch,)."""
    x, logits = np.asarray(x, "float64"), np.asarray(logits, "float64")
    terms = special.xlogy(x, special.expit(logits)) + special.xlogy(1 - x, special.expit(-logits))
    return terms.reshape(len(terms), -1).sum(axis=1)


def categorical_log_prob(x, logits):
    """log softmax(logits)[x], summed over the event: (batch,)."""
    x, logits = np.asarray(x, "int64"), np.asarray(logits, "float64")
    terms = [
        row[k] - special.logsumexp(row) for row, k in zip(logits.reshape(-1, logits.shape[-1]), x.ravel(), strict=True)
    ]
    return np.reshape(terms, (len(x), -1)).sum(axis=1)


def truncated(p, top_k, top_p):
    """Probabilities of one variable without those that are not among the likeliest, summing to one again."""
    kept, total = np.zeros(len(p), bool), 0.0
    for rank, k in enumerate(sorted(range(len(p)), key=lambda j: (-p[j], j))):
        if rank and (rank >= top_k or total >= top_p):
            break
        kept[k], total = True, total + p[k]
    return np.where(kept, p, 0.0) / p[kept].sum()


def logistic_mixture_pixel(x, weights, means, scales, coefficients, levels):
    """P of one pixel x (channels,) on [0, 1]: a sum of products of differences of CDFs. Salimans et al. 2017, 2.1, 2.2.

    `means`, `scales` are (channels, M), `coefficients` a dict {(c, b): (M,)} of channel c on channel b.
    """
    centres = 2 * np.asarray(x, "float64") - 1
    half, total = 1 / (levels - 1), 0.0
    for i, weight in enumerate(weights):
        product = weight
        for c, centre in enumerate(centres):
            mean = means[c, i] + sum(coefficients[c, b][i] * centres[b] for b in range(c))
            low = -np.inf if centre < -1 + half else centre - half
            high = np.inf if centre > 1 - half else centre + half
            product *= stats.logistic.cdf(high, mean, scales[c, i]) - stats.logistic.cdf(low, mean, scales[c, i])
        total += product
    return total


def log_mean_exp(log_weights, axis=-1):
    """log(mean(exp(log_weights)))."""
    log_weights = np.asarray(log_weights, "float64")
    return special.logsumexp(log_weights, axis=axis) - np.log(log_weights.shape[axis])


def iwae_bound(log_weights, k):
    """The log-mean-exp of k importance weights, averaged over disjoint groups: (batch,). Burda et al. 2016, eq. 8."""
    groups = log_weights.shape[-1] // k
    grouped = np.asarray(log_weights, "float64")[..., : groups * k].reshape(*log_weights.shape[:-1], groups, k)
    return log_mean_exp(grouped).mean(axis=-1)


def ppca(x, latent_dim):
    """The maximum-likelihood W, mean and variance of probabilistic PCA. Tipping & Bishop 1999, eqs. 3.8 and 3.9."""
    x = np.asarray(x, "float64")
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    values, vectors = values[::-1], vectors[:, ::-1]
    variance = values[latent_dim:].mean()
    weights = vectors[:, :latent_dim] * np.sqrt(values[:latent_dim] - variance)
    return weights, mean, variance


def linear_gaussian_log_prob(x, weights, mean, variance):
    """Exact log p(x) of z ~ N(0, I), x ~ N(W z + mean, variance I): (batch,). Tipping & Bishop 1999, eq. 3.4."""
    covariance = weights @ weights.T + np.asarray(variance) * np.eye(len(weights))
    return stats.multivariate_normal.logpdf(np.asarray(x, "float64"), mean, covariance)


def linear_gaussian_posterior(x, weights, mean, variance):
    """Mean (batch, latent) and covariance of p(z|x) in the same model. Bishop 2006, eqs. 12.41 and 12.42."""
    m = weights.T @ weights + variance * np.eye(weights.shape[1])
    return np.linalg.solve(m, weights.T @ (np.asarray(x, "float64") - mean).T).T, variance * np.linalg.inv(m)


def bernoulli_kl(rho, rho_hat):
    """KL(rho || rho_hat) of Bernoulli variables, elementwise. Ng 2011, CS294A notes, section 3."""
    return special.rel_entr(rho, rho_hat) + special.rel_entr(1 - rho, 1 - np.asarray(rho_hat, "float64"))


def sigmoid_jacobian(x, weights, bias):
    """dh/dx of h = sigmoid(x W + b), entry by entry: (batch, units, inputs)."""
    h = special.expit(x @ weights + bias)
    return (h * (1 - h))[:, :, None] * weights.T[None]


def largest(values, k):
    """Keeps the k largest of each row, the lowest index first among equals, and sets the others to zero."""
    kept = np.zeros_like(values)
    for row, out in zip(values, kept, strict=True):
        indices = sorted(range(len(row)), key=lambda j: (-row[j], j))[:k]
        out[indices] = row[indices]
    return kept


def descend(loss, parameters, learning_rate, batches, step=1e-6):
    """Gradient descent on loss(parameters, batch) with gradients by central differences in float64; the losses seen."""
    parameters, losses = [np.array(p, "float64") for p in parameters], []
    for batch in batches:
        losses.append(loss(parameters, batch))
        gradients = []
        for parameter in parameters:
            gradient = np.zeros_like(parameter)
            for index in np.ndindex(parameter.shape):
                sides = []
                for sign in (1, -1):
                    parameter[index] += sign * step
                    sides.append(loss(parameters, batch))
                    parameter[index] -= sign * step
                gradient[index] = (sides[0] - sides[1]) / (2 * step)
            gradients.append(gradient)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= learning_rate * gradient
    return parameters, losses


def nearest(vectors, codebook):
    """The index of the nearest row of the codebook for each vector, ties to the lowest: (count,)."""
    differences = np.asarray(vectors, "float64")[:, None, :] - np.asarray(codebook, "float64")[None]
    return np.argmin((differences**2).sum(axis=-1), axis=1)


def ema_update(codebook, counts, sums, vectors, decay):
    """One step of the EMA codebook: N <- g N + (1-g) n, m <- g m + (1-g) sum z, e = m / N; rows with N < 1e-6 keep all.

    van den Oord et al. 2017, eqs. 6 to 8, with N starting at one and m at e, and no Laplace smoothing.
    """
    indices = nearest(vectors, codebook)
    new_counts, new_sums, new_codebook = counts.copy(), sums.copy(), codebook.copy()
    for code in range(len(codebook)):
        mine = vectors[indices == code]
        count = decay * counts[code] + (1 - decay) * len(mine)
        if count < 1e-6:
            continue
        new_counts[code] = count
        new_sums[code] = decay * sums[code] + (1 - decay) * mine.sum(axis=0)
        new_codebook[code] = new_sums[code] / count
    return new_codebook, new_counts, new_sums


def vq_losses(z_e, codebook):
    """||sg[z_e] - e||^2 (which has the value of the commitment loss too), summed over positions and D: (batch,)."""
    flat = np.asarray(z_e, "float64").reshape(-1, z_e.shape[-1])
    quantized = codebook[nearest(flat, codebook)].reshape(z_e.shape)
    return ((z_e - quantized) ** 2).reshape(len(z_e), -1).sum(axis=1)


def perplexity(indices, codebook_size):
    """exp of the entropy of the codes' empirical distribution."""
    p = np.bincount(np.ravel(indices), minlength=codebook_size) / np.size(indices)
    return float(np.exp(-special.xlogy(p, p).sum()))
