using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// What <see cref="KernelMemory"/> does, as IL in place of a call: trees cannot read through a pointer but by a call, and to inline one takes the JIT as long as ten to a
/// hundred operators.
/// </summary>
internal sealed class RegisterAccess(ILGenerator il, VectorMethods vector, Action<Expression> value)
{
    private static readonly MethodInfo[] s_eightBytes = [((Func<Vector128<byte>, Vector128<ulong>>)Vector128.AsUInt64).Method, ((Func<Vector128<ulong>, ulong>)Vector128.ToScalar).Method];
    private static readonly MethodInfo? s_fetchNear = Sse.IsSupported ? typeof(Sse).GetMethod(nameof(Sse.Prefetch0)) : null;
    private static readonly MethodInfo? s_fetch = Sse.IsSupported ? typeof(Sse).GetMethod(nameof(Sse.Prefetch1)) : null;
    private static readonly MethodInfo[] s_fourBytes = [((Func<Vector128<byte>, Vector128<uint>>)Vector128.AsUInt32).Method, ((Func<Vector128<uint>, uint>)Vector128.ToScalar).Method];

    /// <summary>Writes the call if it is one of those that are worth it, with what this processor has; otherwise nothing.</summary>
    public bool TryWrite(MethodCallExpression call)
    {
        string name = call.Method.Name;
        if (name == nameof(KernelMemory.Pointer))
        {
            value(call.Arguments[0]);
            il.Emit(OpCodes.Ldc_I4, (int)((ConstantExpression)call.Arguments[1]).Value! * nint.Size);
            il.Emit(OpCodes.Add);
            il.Emit(OpCodes.Ldind_I);
            return true;
        }

        switch (name)
        {
            case nameof(KernelMemory.Number):
                value(call.Arguments[0]);
                il.Emit(OpCodes.Ldc_I4, (int)((ConstantExpression)call.Arguments[1]).Value! * sizeof(long));
                il.Emit(OpCodes.Add);
                il.Emit(OpCodes.Ldind_I8);
                return true;
            case nameof(KernelMemory.Offset):
                Address(call.Arguments[0], call.Arguments[1], 1);
                return true;
            case nameof(KernelMemory.Fetch) or nameof(KernelMemory.FetchNear):
                if ((name == nameof(KernelMemory.Fetch) ? s_fetch : s_fetchNear) is not { } fetch) return true;
                Address(call.Arguments[0], call.Arguments[1], 1);
                return Call(fetch);
        }

        return name[..^3] switch
        {
            "Load" => Load(call, vector.Type, vector.ElementSize, null),
            "LoadMask" when vector.WidenBytes is { } widen => Load(call, typeof(Vector128<byte>), 1, widen) && NotZero(),
            "LoadHalf" when vector.WidenHalves is { } widen => Load(call, vector.HalfType, sizeof(ushort), widen) && Call(vector.AsElement),
            "Store" => Store(call, vector.ElementSize, null) && Put(vector.Type),
            "Stream" when vector.StoreStreamed is { } store => Stream(call, store),
            "StoreFirst" => StoreFirst(call),
            "StoreMasked" when vector.StoreMasked is { } store => StoreMasked(call, store),
            "StoreMask" when vector.NarrowToBytes is { } narrow => Store(call, 1, narrow) && PutBytes(),
            "StoreHalf" when vector.NarrowToHalves is { } narrow => Store(call, sizeof(ushort), narrow) && Put(vector.HalfType),
            "Broadcast" => Broadcast(call),
            nameof(LaneOp.LargeAngle) => LargeAngle(call),
            _ => false,
        };
    }

    private bool Load(MethodCallExpression call, Type read, int size, MethodInfo? widen)
    {
        Address(call.Arguments[0], call.Arguments[1], size);
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(OpCodes.Ldobj, read);
        return widen is null || Call(widen);
    }

    // Of integers that are not negative, as a mask of elements.
    private bool NotZero()
    {
        Integer(0);
        return Call(vector.IntegerGreater) && Call(vector.AsElement);
    }

    private bool Store(MethodCallExpression call, int size, MethodInfo? narrow)
    {
        Address(call.Arguments[1], call.Arguments[2], size);
        value(call.Arguments[0]);
        if (narrow is null) return true;
        Call(vector.AsInteger);
        if (size == 1)
        {
            Integer(1);
            Call(vector.IntegerAnd);
        }

        return Call(narrow);
    }

    private bool Stream(MethodCallExpression call, MethodInfo store)
    {
        Address(call.Arguments[1], call.Arguments[2], vector.ElementSize);
        value(call.Arguments[0]);
        return Call(store);
    }

    private bool StoreMasked(MethodCallExpression call, MethodInfo store)
    {
        Address(call.Arguments[2], call.Arguments[3], vector.ElementSize);
        value(call.Arguments[1]);
        value(call.Arguments[0]);
        return Call(store);
    }

    private bool StoreFirst(MethodCallExpression call)
    {
        value(call.Arguments[1]);
        value(call.Arguments[0]);
        Call(vector.Unary(nameof(Vector128.ToScalar)));
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(vector.Is64 ? OpCodes.Stind_R8 : OpCodes.Stind_R4);
        return true;
    }

    private bool Put(Type type)
    {
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(OpCodes.Stobj, type);
        return true;
    }

    // One byte an element: the lowest ones of a register.
    private bool PutBytes()
    {
        if (vector.Count == 16) return Put(typeof(Vector128<byte>));
        foreach (MethodInfo method in vector.Count == 8 ? s_eightBytes : s_fourBytes) Call(method);
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(vector.Count == 8 ? OpCodes.Stind_I8 : OpCodes.Stind_I4);
        return true;
    }

    private bool Broadcast(MethodCallExpression call)
    {
        value(call.Arguments[0]);
        il.Emit(OpCodes.Unaligned, (byte)1);
        il.Emit(vector.Is64 ? OpCodes.Ldind_R8 : OpCodes.Ldind_R4);
        return Call(vector.Create);
    }

    // The value, unless an angle is too large; then what a call makes of it.
    private bool LargeAngle(MethodCallExpression call)
    {
        LocalBuilder result = il.DeclareLocal(vector.Type), large = il.DeclareLocal(vector.Type);
        Label end = il.DefineLabel();
        value(call.Arguments[2]);
        il.Emit(OpCodes.Stloc, result);
        value(call.Arguments[3]);
        il.Emit(OpCodes.Stloc, large);
        il.Emit(OpCodes.Ldloc, large);
        Call(vector.AsInteger);
        Integer(0);
        Call(vector.IntegerEquality);
        il.Emit(OpCodes.Brtrue, end);
        value(call.Arguments[0]);
        value(call.Arguments[1]);
        il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Ldloc, large);
        Call(vector.Memory("LargeAngleByElement"));
        il.Emit(OpCodes.Stloc, result);
        il.MarkLabel(end);
        il.Emit(OpCodes.Ldloc, result);
        return true;
    }

    // A distance is added last, so that it becomes a part of the instruction.
    private void Address(Expression start, Expression index, int size)
    {
        long distance = 0;
        if (index is BinaryExpression { NodeType: ExpressionType.Add, Right: ConstantExpression { Value: long constant } } sum) (index, distance) = (sum.Left, constant);
        value(start);
        value(index);
        il.Emit(OpCodes.Conv_I);
        if (size > 1)
        {
            il.Emit(OpCodes.Ldc_I4, size);
            il.Emit(OpCodes.Mul);
        }

        il.Emit(OpCodes.Add);
        if (distance == 0) return;
        il.Emit(OpCodes.Ldc_I4, checked((int)(distance * size)));
        il.Emit(OpCodes.Add);
    }

    // In every element.
    private void Integer(int number)
    {
        if (vector.Is64) il.Emit(OpCodes.Ldc_I8, (long)number);
        else il.Emit(OpCodes.Ldc_I4, number);
        Call(vector.CreateInteger);
    }

    private bool Call(MethodInfo method)
    {
        il.Emit(OpCodes.Call, method);
        return true;
    }
}
