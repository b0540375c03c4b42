using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>i, f, g, o = σ, σ, tanh, σ of the gates; c′ = f·c + i·g; h′ = o·tanh(c′).</summary>
internal unsafe struct LstmCell<L, T> : ISequenceCell<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in ForwardRow<T> row)
    {
        nint n = row.Hidden;
        T* kept = row.Kept;
        GateLoop<SigmoidOp, L, T>.Run(row.Gates, row.Product, kept, 2 * n);
        GateLoop<TanhOp, L, T>.Run(row.Gates + (2 * n), row.Product + (2 * n), kept + (2 * n), n);
        GateLoop<SigmoidOp, L, T>.Run(row.Gates + (3 * n), row.Product + (3 * n), kept + (3 * n), n);
        T* before = row.CellBefore, after = row.CellAfter, state = row.State, output = row.Output;
        for (nint j = 0; j < n; j += L.Count)
        {
            L cell = (L.Load(kept + n + j) * L.Load(before + j)) + (L.Load(kept + j) * L.Load(kept + (2 * n) + j));
            L hidden = L.Load(kept + (3 * n) + j) * Formulas.Tanh(cell);
            LaneTail.Store<L, T>(cell, after + j, n - j);
            LaneTail.Store<L, T>(hidden, state + j, n - j);
            LaneTail.Store<L, T>(hidden, output + j, n - j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(in BackwardRow<T> row)
    {
        nint n = row.Hidden;
        T* kept = row.Kept, carryCell = row.CarryCell, gates = row.Gates, left = row.Left;
        T* before = row.CellBefore, after = row.CellAfter, upstream = row.Upstream, carry = row.Carry;
        L one = L.Const(1);
        for (nint j = 0; j < n; j += L.Count)
        {
            L i = L.Load(kept + j), f = L.Load(kept + n + j), g = L.Load(kept + (2 * n) + j), o = L.Load(kept + (3 * n) + j);
            L tanh = Formulas.Tanh(L.Load(after + j));
            L hidden = L.Load(upstream + j) + L.Load(carry + j);
            L cell = L.Load(carryCell + j) + (hidden * o * (one - (tanh * tanh)));
            L di = cell * g * (i * (one - i)), df = cell * L.Load(before + j) * (f * (one - f));
            L dg = cell * i * (one - (g * g)), d0 = hidden * tanh * (o * (one - o));
            LaneTail.Store<L, T>(cell * f, carryCell + j, n - j);
            LaneTail.Store<L, T>(di, gates + j, n - j);
            LaneTail.Store<L, T>(df, gates + n + j, n - j);
            LaneTail.Store<L, T>(dg, gates + (2 * n) + j, n - j);
            LaneTail.Store<L, T>(d0, gates + (3 * n) + j, n - j);
            LaneTail.Store<L, T>(di, left + j, n - j);
            LaneTail.Store<L, T>(df, left + n + j, n - j);
            LaneTail.Store<L, T>(dg, left + (2 * n) + j, n - j);
            LaneTail.Store<L, T>(d0, left + (3 * n) + j, n - j);
        }
    }
}

/// <summary>r, z = σ of the first two gates, n = tanh(x + r·q) with q = W·h + b of the third; h′ = (1 − z)·n + z·h.</summary>
internal unsafe struct GruCell<L, T> : ISequenceCell<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in ForwardRow<T> row)
    {
        nint n = row.Hidden;
        T* kept = row.Kept, product = row.Product + (2 * n), gates = row.Gates + (2 * n), state = row.State, output = row.Output;
        bool keeps = kept != row.Product;
        L one = L.Const(1);
        GateLoop<SigmoidOp, L, T>.Run(row.Gates, row.Product, kept, 2 * n);
        for (nint j = 0; j < n; j += L.Count)
        {
            L q = L.Load(product + j), z = L.Load(kept + n + j);
            L proposed = Formulas.Tanh(L.Load(gates + j) + (L.Load(kept + j) * q));
            L hidden = ((one - z) * proposed) + (z * L.Load(state + j));
            LaneTail.Store<L, T>(hidden, state + j, n - j);
            LaneTail.Store<L, T>(hidden, output + j, n - j);
            if (!keeps) continue;
            LaneTail.Store<L, T>(proposed, kept + (2 * n) + j, n - j);
            LaneTail.Store<L, T>(q, kept + (3 * n) + j, n - j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(in BackwardRow<T> row)
    {
        nint n = row.Hidden;
        T* kept = row.Kept, gates = row.Gates, products = row.Products, left = row.Left, upstream = row.Upstream, carry = row.Carry, before = row.StateBefore;
        L one = L.Const(1);
        for (nint j = 0; j < n; j += L.Count)
        {
            L r = L.Load(kept + j), z = L.Load(kept + n + j), proposed = L.Load(kept + (2 * n) + j), q = L.Load(kept + (3 * n) + j);
            L hidden = L.Load(upstream + j) + L.Load(carry + j);
            L dn = hidden * (one - z) * (one - (proposed * proposed)), dz = hidden * (L.Load(before + j) - proposed) * (z * (one - z));
            L dr = dn * q * (r * (one - r)), dq = dn * r;
            LaneTail.Store<L, T>(hidden * z, carry + j, n - j);
            LaneTail.Store<L, T>(dr, gates + j, n - j);
            LaneTail.Store<L, T>(dz, gates + n + j, n - j);
            LaneTail.Store<L, T>(dn, gates + (2 * n) + j, n - j);
            LaneTail.Store<L, T>(dr, products + j, n - j);
            LaneTail.Store<L, T>(dz, products + n + j, n - j);
            LaneTail.Store<L, T>(dq, products + (2 * n) + j, n - j);
            LaneTail.Store<L, T>(dr, left + j, n - j);
            LaneTail.Store<L, T>(dz, left + n + j, n - j);
            LaneTail.Store<L, T>(dq, left + (2 * n) + j, n - j);
        }
    }
}

/// <summary>An activation and its derivative as a function of its value.</summary>
internal interface IPlainActivation
{
    static abstract L Value<L>(L x) where L : struct, ILane<L>;

    static abstract L Gradient<L>(L value, L upstream) where L : struct, ILane<L>;
}

/// <summary>tanh′ = 1 − tanh².</summary>
internal readonly struct TanhSlope : IPlainActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Value<L>(L x) where L : struct, ILane<L> => Formulas.Tanh(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Gradient<L>(L value, L upstream) where L : struct, ILane<L> => upstream * (L.Const(1) - (value * value));
}

/// <summary>relu′ is 1 above 0, else 0.</summary>
internal readonly struct ReluSlope : IPlainActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Value<L>(L x) where L : struct, ILane<L> => ReluOp.Invoke(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Gradient<L>(L value, L upstream) where L : struct, ILane<L> => L.Select(L.Greater(value, L.Const(0)), upstream, L.Const(0));
}

/// <summary>h′ = an activation of the only gate.</summary>
internal unsafe struct PlainCell<TActivation, L, T> : ISequenceCell<L, T>
    where TActivation : struct, IPlainActivation
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in ForwardRow<T> row)
    {
        nint n = row.Hidden;
        T* gates = row.Gates, product = row.Product, state = row.State, output = row.Output;
        for (nint j = 0; j < n; j += L.Count)
        {
            L hidden = TActivation.Value(L.Load(gates + j) + L.Load(product + j));
            LaneTail.Store<L, T>(hidden, state + j, n - j);
            LaneTail.Store<L, T>(hidden, output + j, n - j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(in BackwardRow<T> row)
    {
        nint n = row.Hidden;
        T* gates = row.Gates, left = row.Left, upstream = row.Upstream, carry = row.Carry, after = row.StateAfter;
        for (nint j = 0; j < n; j += L.Count)
        {
            L gradient = TActivation.Gradient(L.Load(after + j), L.Load(upstream + j) + L.Load(carry + j));
            LaneTail.Store<L, T>(gradient, gates + j, n - j);
            LaneTail.Store<L, T>(gradient, left + j, n - j);
        }
    }
}

/// <summary>to = f(x + y), element by element. May overwrite y; y may have rows of its own behind the last element.</summary>
internal static unsafe class GateLoop<TOp, L, T>
    where TOp : struct, IUnaryOp
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(T* x, T* y, T* to, nint n)
    {
        nint j = 0;
        for (; j + L.Count <= n; j += L.Count) L.Store(TOp.Invoke(L.Load(x + j) + L.Load(y + j)), to + j);
        if (j < n) LaneTail.Store<L, T>(TOp.Invoke(L.Load(x + j) + L.Load(y + j)), to + j, n - j);
    }
}
