/*
 * All functions of PKCS #11 v2.40.
 *
 * PLAIN(name, parameters, arguments) is forwarded as it is; OWN(name) has a
 * function of its own in shim.c.
 */
#ifndef CA_SHIM_FUNCTIONS_H
#define CA_SHIM_FUNCTIONS_H

/* clang-format off */
#define SHIM_FUNCTIONS(PLAIN, OWN) \
	OWN(C_Initialize) \
	OWN(C_Finalize) \
	PLAIN(C_GetInfo, \
	    (CK_INFO *info), \
	    (info)) \
	OWN(C_GetFunctionList) \
	PLAIN(C_GetSlotList, \
	    (CK_BYTE token_present, CK_SLOT_ID *slot_list, CK_ULONG *count), \
	    (token_present, slot_list, count)) \
	PLAIN(C_GetSlotInfo, \
	    (CK_SLOT_ID slot_id, CK_SLOT_INFO *info), \
	    (slot_id, info)) \
	OWN(C_GetTokenInfo) \
	PLAIN(C_WaitForSlotEvent, \
	    (CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved), \
	    (flags, slot, reserved)) \
	PLAIN(C_GetMechanismList, \
	    (CK_SLOT_ID slot_id, CK_MECHANISM_TYPE *mechanism_list, CK_ULONG \
	    *count), \
	    (slot_id, mechanism_list, count)) \
	PLAIN(C_GetMechanismInfo, \
	    (CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO \
	    *info), \
	    (slot_id, type, info)) \
	OWN(C_InitToken) \
	OWN(C_InitPIN) \
	PLAIN(C_SetPIN, \
	    (CK_SESSION_HANDLE session, CK_BYTE *old_pin, CK_ULONG old_len, \
	    CK_BYTE *new_pin, CK_ULONG new_len), \
	    (session, old_pin, old_len, new_pin, new_len)) \
	PLAIN(C_OpenSession, \
	    (CK_SLOT_ID slot_id, CK_FLAGS flags, void *application, CK_NOTIFY \
	    notify, CK_SESSION_HANDLE *session), \
	    (slot_id, flags, application, notify, session)) \
	PLAIN(C_CloseSession, \
	    (CK_SESSION_HANDLE session), \
	    (session)) \
	PLAIN(C_CloseAllSessions, \
	    (CK_SLOT_ID slot_id), \
	    (slot_id)) \
	PLAIN(C_GetSessionInfo, \
	    (CK_SESSION_HANDLE session, CK_SESSION_INFO *info), \
	    (session, info)) \
	PLAIN(C_GetOperationState, \
	    (CK_SESSION_HANDLE session, CK_BYTE *operation_state, CK_ULONG \
	    *operation_state_len), \
	    (session, operation_state, operation_state_len)) \
	PLAIN(C_SetOperationState, \
	    (CK_SESSION_HANDLE session, CK_BYTE *operation_state, CK_ULONG \
	    operation_state_len, CK_OBJECT_HANDLE encryption_key, \
	    CK_OBJECT_HANDLE authentiation_key), \
	    (session, operation_state, operation_state_len, encryption_key, \
	    authentiation_key)) \
	OWN(C_Login) \
	PLAIN(C_Logout, \
	    (CK_SESSION_HANDLE session), \
	    (session)) \
	PLAIN(C_CreateObject, \
	    (CK_SESSION_HANDLE session, CK_ATTRIBUTE *templ, CK_ULONG count, \
	    CK_OBJECT_HANDLE *object), \
	    (session, templ, count, object)) \
	PLAIN(C_CopyObject, \
	    (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE \
	    *templ, CK_ULONG count, CK_OBJECT_HANDLE *new_object), \
	    (session, object, templ, count, new_object)) \
	PLAIN(C_DestroyObject, \
	    (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object), \
	    (session, object)) \
	PLAIN(C_GetObjectSize, \
	    (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG \
	    *size), \
	    (session, object, size)) \
	OWN(C_GetAttributeValue) \
	PLAIN(C_SetAttributeValue, \
	    (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE \
	    *templ, CK_ULONG count), \
	    (session, object, templ, count)) \
	PLAIN(C_FindObjectsInit, \
	    (CK_SESSION_HANDLE session, CK_ATTRIBUTE *templ, CK_ULONG count), \
	    (session, templ, count)) \
	PLAIN(C_FindObjects, \
	    (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *object, CK_ULONG \
	    max_object_count, CK_ULONG *object_count), \
	    (session, object, max_object_count, object_count)) \
	PLAIN(C_FindObjectsFinal, \
	    (CK_SESSION_HANDLE session), \
	    (session)) \
	PLAIN(C_EncryptInit, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE key), \
	    (session, mechanism, key)) \
	PLAIN(C_Encrypt, \
	    (CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, \
	    CK_BYTE *encrypted_data, CK_ULONG *encrypted_data_len), \
	    (session, data, data_len, encrypted_data, encrypted_data_len)) \
	PLAIN(C_EncryptUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len, \
	    CK_BYTE *encrypted_part, CK_ULONG *encrypted_part_len), \
	    (session, part, part_len, encrypted_part, encrypted_part_len)) \
	PLAIN(C_EncryptFinal, \
	    (CK_SESSION_HANDLE session, CK_BYTE *last_encrypted_part, CK_ULONG \
	    *last_encrypted_part_len), \
	    (session, last_encrypted_part, last_encrypted_part_len)) \
	PLAIN(C_DecryptInit, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE key), \
	    (session, mechanism, key)) \
	PLAIN(C_Decrypt, \
	    (CK_SESSION_HANDLE session, CK_BYTE *encrypted_data, CK_ULONG \
	    encrypted_data_len, CK_BYTE *data, CK_ULONG *data_len), \
	    (session, encrypted_data, encrypted_data_len, data, data_len)) \
	PLAIN(C_DecryptUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *encrypted_part, CK_ULONG \
	    encrypted_part_len, CK_BYTE *part, CK_ULONG *part_len), \
	    (session, encrypted_part, encrypted_part_len, part, part_len)) \
	PLAIN(C_DecryptFinal, \
	    (CK_SESSION_HANDLE session, CK_BYTE *last_part, CK_ULONG \
	    *last_part_len), \
	    (session, last_part, last_part_len)) \
	PLAIN(C_DigestInit, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism), \
	    (session, mechanism)) \
	PLAIN(C_Digest, \
	    (CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, \
	    CK_BYTE *digest, CK_ULONG *digest_len), \
	    (session, data, data_len, digest, digest_len)) \
	PLAIN(C_DigestUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len), \
	    (session, part, part_len)) \
	PLAIN(C_DigestKey, \
	    (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key), \
	    (session, key)) \
	PLAIN(C_DigestFinal, \
	    (CK_SESSION_HANDLE session, CK_BYTE *digest, CK_ULONG \
	    *digest_len), \
	    (session, digest, digest_len)) \
	OWN(C_SignInit) \
	OWN(C_Sign) \
	PLAIN(C_SignUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len), \
	    (session, part, part_len)) \
	PLAIN(C_SignFinal, \
	    (CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG \
	    *signature_len), \
	    (session, signature, signature_len)) \
	PLAIN(C_SignRecoverInit, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE key), \
	    (session, mechanism, key)) \
	PLAIN(C_SignRecover, \
	    (CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, \
	    CK_BYTE *signature, CK_ULONG *signature_len), \
	    (session, data, data_len, signature, signature_len)) \
	PLAIN(C_VerifyInit, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE key), \
	    (session, mechanism, key)) \
	PLAIN(C_Verify, \
	    (CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, \
	    CK_BYTE *signature, CK_ULONG signature_len), \
	    (session, data, data_len, signature, signature_len)) \
	PLAIN(C_VerifyUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len), \
	    (session, part, part_len)) \
	PLAIN(C_VerifyFinal, \
	    (CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG \
	    signature_len), \
	    (session, signature, signature_len)) \
	PLAIN(C_VerifyRecoverInit, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE key), \
	    (session, mechanism, key)) \
	PLAIN(C_VerifyRecover, \
	    (CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG \
	    signature_len, CK_BYTE *data, CK_ULONG *data_len), \
	    (session, signature, signature_len, data, data_len)) \
	PLAIN(C_DigestEncryptUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len, \
	    CK_BYTE *encrypted_part, CK_ULONG *encrypted_part_len), \
	    (session, part, part_len, encrypted_part, encrypted_part_len)) \
	PLAIN(C_DecryptDigestUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *encrypted_part, CK_ULONG \
	    encrypted_part_len, CK_BYTE *part, CK_ULONG *part_len), \
	    (session, encrypted_part, encrypted_part_len, part, part_len)) \
	PLAIN(C_SignEncryptUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG part_len, \
	    CK_BYTE *encrypted_part, CK_ULONG *encrypted_part_len), \
	    (session, part, part_len, encrypted_part, encrypted_part_len)) \
	PLAIN(C_DecryptVerifyUpdate, \
	    (CK_SESSION_HANDLE session, CK_BYTE *encrypted_part, CK_ULONG \
	    encrypted_part_len, CK_BYTE *part, CK_ULONG *part_len), \
	    (session, encrypted_part, encrypted_part_len, part, part_len)) \
	PLAIN(C_GenerateKey, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE \
	    *templ, CK_ULONG count, CK_OBJECT_HANDLE *key), \
	    (session, mechanism, templ, count, key)) \
	PLAIN(C_GenerateKeyPair, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE \
	    *public_key_template, CK_ULONG public_key_attribute_count, \
	    CK_ATTRIBUTE *private_key_template, CK_ULONG \
	    private_key_attribute_count, CK_OBJECT_HANDLE *public_key, \
	    CK_OBJECT_HANDLE *private_key), \
	    (session, mechanism, public_key_template, \
	    public_key_attribute_count, private_key_template, \
	    private_key_attribute_count, public_key, private_key)) \
	PLAIN(C_WrapKey, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE \
	    *wrapped_key, CK_ULONG *wrapped_key_len), \
	    (session, mechanism, wrapping_key, key, wrapped_key, \
	    wrapped_key_len)) \
	PLAIN(C_UnwrapKey, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE unwrapping_key, CK_BYTE *wrapped_key, CK_ULONG \
	    wrapped_key_len, CK_ATTRIBUTE *templ, CK_ULONG attribute_count, \
	    CK_OBJECT_HANDLE *key), \
	    (session, mechanism, unwrapping_key, wrapped_key, wrapped_key_len, \
	    templ, attribute_count, key)) \
	PLAIN(C_DeriveKey, \
	    (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, \
	    CK_OBJECT_HANDLE base_key, CK_ATTRIBUTE *templ, CK_ULONG \
	    attribute_count, CK_OBJECT_HANDLE *key), \
	    (session, mechanism, base_key, templ, attribute_count, key)) \
	PLAIN(C_SeedRandom, \
	    (CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG seed_len), \
	    (session, seed, seed_len)) \
	OWN(C_GenerateRandom) \
	PLAIN(C_GetFunctionStatus, \
	    (CK_SESSION_HANDLE session), \
	    (session)) \
	PLAIN(C_CancelFunction, \
	    (CK_SESSION_HANDLE session), \
	    (session))
/* clang-format on */

#endif
